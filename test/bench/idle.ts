// What an idle agent costs: the built one, with 1,000 series at 1 s, connected to a small hub. CPU seconds a minute of the process and
// its children, and resident memory. What the host does not give of the 1,000 comes from gauges that StatsD was told once, or from an
// endpoint that is scraped each second. With --model N a network of N of those gauges judges beside the detectors, with --plain
// nothing judges. Figures only; agent/README.md holds them.
//   node .make/build.mjs && npx tsx test/bench/idle.ts [--secs 60] [--each] [--fill statsd|prometheus|none] [--model 128] [--plain] [--profile FOLDER] [--flags '…']
import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTestAuthority } from '#kit/authority.ts';
import { freePort, startProgram, until } from '#kit/programs.ts';
import { systemClock } from '#sdk';
import { createShelf } from '../../agent/anomalies/models/shelf.ts';
import { keepIdentity } from '../../agent/link/identity.ts';
import { readStatus } from '../../agent/status.ts';
import { trainAutoencoder } from '../../plugins/models/autoencoder.ts';
import { createNormal, createRandom } from '../../plugins/models/random.ts';
import { loadTensorFlow } from '../../plugins/models/tensorflow.ts';
import { startSmallHub } from '../kit/small-hub.ts';

const { values } = parseArgs({
  options: {
    secs: { type: 'string', default: '60' },
    warm: { type: 'string', default: '30' },
    each: { type: 'boolean', default: false },
    fill: { type: 'string', default: 'statsd' },
    series: { type: 'string', default: '1000' },
    model: { type: 'string', default: '0' },
    plain: { type: 'boolean', default: false },
    profile: { type: 'string' },
    flags: { type: 'string', default: '' },
  },
});
const WANTED = Number(values.series);
/** The kernel's ticks of a second. */
const TICKS = 100;

/** CPU seconds of a process and of its children that have ended. */
function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

/** CPU ticks of each thread, by the name that the kernel knows it by and its number. */
function threads(pid: number): Map<string, number> {
  const folder = `/proc/${pid}/task`;
  return new Map(
    readdirSync(folder).map((id) => {
      const text = readFileSync(`${folder}/${id}/stat`, 'latin1');
      const end = text.lastIndexOf(')');
      const fields = text.slice(end + 2).split(' ');
      return [`${text.slice(text.indexOf('(') + 1, end)}-${id}`, Number(fields[11]) + Number(fields[12])];
    }),
  );
}

function memory(pid: number): { rss: number; peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  const of = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1000;
  return { rss: of('VmRSS'), peak: of('VmHWM') };
}

const gaugeOf = (i: number) => ({
  metric: `bench.gauge.${i % 50}`,
  attributes: { number: String(i) },
  kind: 'gauge' as const,
});

/** Puts a network of so many gauges where the agent keeps the one that it has learnt itself. */
async function placeModel(folder: string, width: number): Promise<void> {
  const noise = createNormal(createRandom(1));
  const rows = Array.from({ length: 1440 }, () => Float64Array.from({ length: width }, (_, i) => i + noise()));
  const model = await trainAutoencoder({
    series: Array.from({ length: width }, (_, i) => gaugeOf(i)),
    async *rows() {
      for (const [n, values] of rows.entries()) yield { timeMs: n * 10_000, values };
      await Promise.resolve();
    },
    ...{ version: 'bench', createdMs: systemClock.now(), seed: 1, tensorFlow: await loadTensorFlow(['wasm']) },
  });
  createShelf(folder).keepModel(model);
}

const authority = await createTestAuthority();
const hub = await startSmallHub(authority, () => Promise.resolve());
const data = mkdtempSync(join(tmpdir(), 'outrider-bench-idle-'));
const { key, certificate } = await authority.agent('agent');
keepIdentity(data, { agentId: 'agent', link: hub.address, key, certificate, ca: authority.ca });

let fill = 0;
let tick = 0;
const endpoint = createServer((_request, answer) => {
  tick++;
  const lines = Array.from({ length: fill }, (_, i) => `bench_gauge{part="${i % 7}",number="${i}"} ${i + tick}`);
  answer.end(`# TYPE bench_gauge gauge\n${lines.join('\n')}\n`);
});
await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
const { port } = endpoint.address() as AddressInfo;
const statsdPort = await freePort();
const collectors = {
  processes: { each: values.each },
  ...(values.fill === 'prometheus'
    ? { prometheus: { interval: 1, targets: [{ name: 'bench', url: `http://127.0.0.1:${port}/metrics` }] } }
    : {}),
  ...(values.fill === 'statsd' ? { statsd: { enabled: true, interval: 1, port: statsdPort } } : {}),
};
writeFileSync(
  join(data, 'outrider-agent.yaml'),
  JSON.stringify({ collectors, budgets: { cpu: 1 }, detection: { metrics: !values.plain, templates: !values.plain } }),
);

if (values.model !== '0') await placeModel(data, Number(values.model));

const flags = values.flags === '' ? [] : values.flags.split(' ');
const profile = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
// As its service has it.
const env = { MALLOC_ARENA_MAX: '1' };
const agent = startProgram('agent', ['run', '--quiet', '--data', data], { nodeArgs: [...flags, ...profile], env });
const pid = agent.child.pid ?? 0;
process.on('exit', () => agent.child.kill('SIGKILL')); // Also when this bench fails.
const seriesNow = (): number => readStatus(data)?.budgets.find(({ name }) => name === 'series')?.usage ?? 0;
const host = await until('the agent has series', () => (seriesNow() > 0 ? seriesNow() : undefined));
await systemClock.sleep(10_000);
if (values.fill !== 'none') fill = Math.max(0, WANTED - seriesNow());
if (values.fill === 'statsd') {
  const socket = createSocket('udp4');
  for (let from = 0; from < fill; from += 20) {
    const gauges = Array.from({ length: Math.min(20, fill - from) }, (_, i) => from + i);
    const packet = gauges.map((i) => `${gaugeOf(i).metric}:${i}|g|#number:${i}`).join('\n');
    await new Promise((resolve) => socket.send(packet, statsdPort, '127.0.0.1', resolve));
  }
  socket.close();
}
await systemClock.sleep(Number(values.warm) * 1000);
const own = threads(pid);
const before = { cpu: cpuSeconds(pid), at: performance.now(), load: loadavg()[0] ?? 0 };
await systemClock.sleep(Number(values.secs) * 1000);
const minutes = (performance.now() - before.at) / 60_000;
const { rss, peak } = memory(pid);
console.log(
  `${seriesNow()} series (${host} at first), each ${String(values.each)}, fill ${values.fill}: ${((cpuSeconds(pid) - before.cpu) / minutes).toFixed(2)} CPU-s a minute, RSS ${rss.toFixed(0)} MB, peak ${peak.toFixed(0)} MB, load ${before.load}`,
);
console.log(`judging model: ${readStatus(data)?.detection?.models?.judge?.version ?? 'none'}`);
const busy = [...threads(pid)].map(([name, ticks]) => [name, ticks - (own.get(name) ?? 0)] as const);
console.log(
  `CPU ms a second by thread: ${busy
    .filter(([, ticks]) => ticks > 0)
    .map(([name, ticks]) => `${name} ${((ticks * 1000) / TICKS / minutes / 60).toFixed(1)}`)
    .join(', ')}`,
);
await agent.stop();
hub.stop();
endpoint.close();
endpoint.closeAllConnections();
rmSync(data, { recursive: true });
