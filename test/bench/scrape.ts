/**
 * Prints what a scrape of a steady endpoint costs, beside two floors of the same run: cutting the answer into lines, and matching each line with one
 * regular expression. Then the whole way at one scrape a second: HTTP, parser, table. `npx tsx test/bench/scrape.ts [series] [seconds]`
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSchedule } from '../../agent/schedule.ts';
import { createTableBuilder } from '../../agent/table.ts';
import { prometheus } from '../../plugins/collectors/prometheus/index.ts';
import { createScrapeReader } from '../../plugins/collectors/prometheus/scrape.ts';
import { checkSettings, silentLogger, systemClock } from '#sdk';

const count = Number(process.argv[2] ?? 2000);

/** An answer of this many series, a histogram's buckets most of them; `n` moves the values. */
function answerOf(n: number): string {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    if (i % 20 === 0)
      lines.push(`# HELP app_latency_${i}_seconds Time of requests.`, `# TYPE app_latency_${i}_seconds histogram`);
    lines.push(`app_latency_${i - (i % 20)}_seconds_bucket{handler="/api/v1/things/${i % 7}",method="GET",le="${i % 20}"} ${i * 1000 + n}`); // prettier-ignore
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

if (process.argv[4] === 'serve') {
  let n = 0;
  const server = createServer((_request, answer) => void answer.end(answerOf(n++)));
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
} else {
  const texts = [0, 1].map(answerOf);
  const cost = (title: string, work: (text: string) => unknown): void => {
    for (let i = 0; i < 60; i++) work(texts[i % 2] ?? '');
    const before = process.cpuUsage();
    const runs = 200;
    for (let i = 0; i < runs; i++) work(texts[i % 2] ?? '');
    const used = process.cpuUsage(before);
    console.log(`${title.padEnd(46)}${((used.user + used.system) / runs).toFixed(0).padStart(8)} CPU µs a scrape`);
  };
  console.log(`${count} series, ${texts[0]?.length} bytes`);
  const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
  cost('floor: lines', (text) => text.split('\n').length);
  cost('floor: lines and one regular expression', (text) => text.split('\n').map((one) => line.exec(one)).length);
  const rules = { labels: { job: 'bench' }, keep: [], drop: [], maxSeries: 10_000 };
  cost('parsed anew each time', (text) => createScrapeReader(rules)(text));
  const read = createScrapeReader(rules);
  cost('a steady endpoint', read);
  const table = createTableBuilder();
  cost('a steady endpoint, into the table', (text) => {
    read(text).tell(table.emit);
    table.finish();
  });
  const seconds = Number(process.argv[3] ?? 20);
  const endpoint = fork(import.meta.filename, [String(count), '0', 'serve']);
  const port = await new Promise((resolve) => endpoint.once('message', resolve));
  const config = checkSettings(prometheus.config, { targets: [{ name: 'bench', url: `http://127.0.0.1:${String(port)}/metrics` }] }, []); // prettier-ignore
  const collector = prometheus.create({ config, root: '/', clock: systemClock, log: silentLogger, redact: (text) => text, intervalMs: 1000 }); // prettier-ignore
  const scheduled = [{ name: 'prometheus', collector, intervalMs: 1000 }];
  const schedule = createSchedule({ collectors: scheduled, clock: systemClock, log: silentLogger, sink: () => {} });
  await schedule.start();
  await systemClock.sleep(5000);
  const before = process.cpuUsage();
  await systemClock.sleep(seconds * 1000);
  const used = process.cpuUsage(before);
  await schedule.stop();
  endpoint.kill();
  console.log(`at 1 s through HTTP and the schedule: ${((used.user + used.system) / 1e6 / seconds * 60).toFixed(2)} CPU-seconds a minute`); // prettier-ignore
}
