/** Prints what each of Linux's collectors costs on this machine, and all of them at one run a second. */
import { createCollectors, collectorSettings } from '../../agent/collectors.ts';
import { redact } from '../../agent/redact/index.ts';
import { createSchedule } from '../../agent/schedule.ts';
import { collectorsFor } from '../../plugins/collectors/catalogue.ts';
import { checkSettings, silentLogger, systemClock, type Collector } from '#sdk';

const RUNS = 2000;

const definitions = await collectorsFor('linux');
const settings = checkSettings(collectorSettings(definitions), {}, []);
const given = { settings, root: '/', redact, log: silentLogger, clock: systemClock };
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function cost(collector: Collector, runs: number): Promise<{ wall: number; cpu: number; series: number }> {
  let series = 0;
  const never = new AbortController().signal;
  const once = async (): Promise<void> => {
    series = 0;
    const work = collector.collect(() => series++, never);
    if (work !== undefined) await work;
  };
  for (let i = 0; i < runs / 4; i++) await once();
  const walls: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) {
    const begun = performance.now();
    await once();
    walls.push((performance.now() - begun) * 1000);
  }
  const used = process.cpuUsage(before);
  return { wall: median(walls), cpu: (used.user + used.system) / runs, series };
}

console.log('collector          series   median µs   CPU µs');
let total = 0;
const each = { processes: { each: true } };
const eachGiven = { ...given, settings: checkSettings(collectorSettings(definitions), each, []) };
const rows = [
  ...createCollectors(definitions, given),
  ...createCollectors(definitions, eachGiven)
    .filter(({ name }) => name === 'processes')
    .map((one) => ({ ...one, name: 'processes, each' })),
];
for (const { name, collector, intervalMs } of rows) {
  const isScan = name.startsWith('processes');
  const { wall, cpu, series } = await cost(collector, isScan ? RUNS / 10 : RUNS);
  if (!isScan) total += (cpu * 1000) / intervalMs;
  console.log(
    `${name.padEnd(18)}${String(series).padStart(7)}${wall.toFixed(1).padStart(12)}${cpu.toFixed(1).padStart(9)}`,
  );
}
console.log(`all but processes at their intervals, run in a loop: ${(total / 1000).toFixed(2)} CPU ms a second`);

/** The honest figure: a cold run each second, through the schedule, with all that Node does in between. */
async function idleCost(names: (name: string) => boolean, seconds: number, over: object = {}): Promise<number> {
  const own = { ...given, settings: checkSettings(collectorSettings(definitions), over, []) };
  const scheduled = createCollectors(definitions, own).filter(({ name }) => names(name));
  const schedule = createSchedule({ collectors: scheduled, clock: systemClock, log: silentLogger, sink: () => {} });
  await schedule.start();
  await systemClock.sleep(3000);
  const before = process.cpuUsage();
  await systemClock.sleep(seconds * 1000);
  const used = process.cpuUsage(before);
  await schedule.stop();
  return (used.user + used.system) / 1000 / seconds;
}

const seconds = Number(process.argv[2] ?? 20);
const without = await idleCost((name) => name !== 'processes', seconds);
const withAll = await idleCost(() => true, seconds);
const withEach = await idleCost(() => true, seconds, { processes: { each: true } });
console.log(
  `scheduled: ${without.toFixed(2)} CPU ms a second without processes, ${withAll.toFixed(2)} with, ${withEach.toFixed(2)} with each`,
);
