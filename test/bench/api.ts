/**
 * Prints how fast the web API answers while agents stream: `npx tsx test/bench/api.ts [--seconds 60] [--agents 100] [--history-step 10]`.
 *
 * A real hub from dist/ with every store embedded; agents in two processes of their own, 500 series and 20 lines a second each, after an hour of history
 * that they send first; then ten requests a second: seven for metrics (an hour, four names), two searches of logs, one for alerts. The bar is an average of
 * 50 ms over 300 seconds. `--profile DIR` writes a CPU profile of the hub. `--rate 0` asks nothing: what the hub itself costs (`--agents 10 --series 300
 * --lines 1`; the bar is 10 % of a core and 500 MB, the embedded PostgreSQL included): 8.1 % and 319 MB with 88 % of a core taken by
 * anything else, 10 to 11 % with 180 %.
 *
 * Measured on two cores, with 6 % of a core taken by anything else, over 300 s: an answer took 34.8 ms on average (p50 34.7, p95 60.8, p99 88.1; metrics 40.1,
 * logs 30.5, alerts 6.4), the hub 52 % of one core. With everything else taking a whole core an earlier run took 150 ms (p50 73, p95 592): judge a figure by the line
 * that says what else ran.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { signInFirst, startHubProgram, type RunningHub } from '#kit/running-hub.ts';
import { enrolSimulated, type SimulatedIdentity } from '#kit/simulated-agent.ts';
import { systemClock } from '#sdk';
import { openDatabase } from '../../hub/adapters/duckdb/database.ts';
import { openLogStore } from '../../hub/adapters/logstore/embedded/store.ts';
import { openSeriesStore } from '../../hub/adapters/series/embedded/store.ts';
import { loadName, type LoadOrder, type LoadReport } from '../kit/load-agents.ts';
import { machineUsage, usage } from './usage.ts';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    agents: { type: 'string', default: '100' },
    series: { type: 'string', default: '500' },
    lines: { type: 'string', default: '20' },
    rate: { type: 'string', default: '10' },
    history: { type: 'string', default: '3600' },
    'history-step': { type: 'string', default: '10' },
    settle: { type: 'string', default: '45' },
    profile: { type: 'string' },
  },
});
const SECONDS = Number(flags.seconds);
const AGENTS = Number(flags.agents);
const RATE = Number(flags.rate);
const NAMES = Number(flags.series) / 10;

const quantile = (sorted: readonly number[], q: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN).toFixed(1);
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [p50, p95, p99, most] = [0.5, 0.95, 0.99, 1].map((q) => quantile(sorted, q));
  return `avg ${mean.toFixed(1)}  p50 ${p50}  p95 ${p95}  p99 ${p99}  max ${most} ms  (${values.length})`;
}

interface LoadProcess {
  child: ChildProcess;
  ready: Promise<void>;
  stop(): Promise<LoadReport>;
}

function startLoad(identities: readonly SimulatedIdentity[]): LoadProcess {
  const script = join(import.meta.dirname, '../kit/load-agents.ts');
  const child = fork(script, { execArgv: ['--import', 'tsx'] });
  const next = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      child.once('message', (message) => resolve(message as T));
      child.once('exit', (code) => reject(new Error(`the agents ended with ${code}`)));
    });
  const order: LoadOrder = {
    identities,
    series: Number(flags.series),
    lines: Number(flags.lines),
    historySeconds: Number(flags.history),
    historyStep: Number(flags['history-step']),
  };
  const ready = next<void>();
  child.send(order);
  return {
    child,
    ready,
    stop() {
      const report = next<LoadReport>();
      child.send('stop');
      return report;
    },
  };
}

/** The next request in the mix of ten: seven for metrics, two searches, one for alerts. */
function request(turn: number, hosts: readonly string[]): [route: string, path: string] {
  const host = hosts[(turn * 37) % hosts.length] ?? '';
  const place = turn % 10;
  if (place === 9)
    return ['alerts', `/api/v1/monitoring/alerts/${['active', 'history'][Math.floor(turn / 10) % 2] ?? 'active'}`];
  if (place === 3 || place === 7) {
    const asked = [
      `host=${host}&from=-1h`,
      'from=-1h&limit=100',
      `host=${host}&from=-1h&level=error`,
      `q=${encodeURIComponent('GET /api')}&from=-1h`,
    ];
    return ['logs', `/api/v1/logs/search?${asked[Math.floor(turn / 5) % asked.length] ?? ''}`];
  }
  const names = [0, 1, 2, 3].map((offset) => loadName((turn * 7 + offset) % NAMES)).join(',');
  return ['metrics', `/api/v1/monitoring/metrics/${host}?name=${names}&from=-1h`];
}

async function ask(hub: RunningHub, key: string, hosts: readonly string[]) {
  const took = new Map<string, number[]>();
  const faults = new Map<string, number>();
  let bytes = 0;
  const one = async (turn: number): Promise<void> => {
    const [route, path] = request(turn, hosts);
    const begun = performance.now();
    const reply = await fetch(`${hub.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    bytes += (await reply.arrayBuffer()).byteLength;
    if (!reply.ok) faults.set(`${route} ${reply.status}`, (faults.get(`${route} ${reply.status}`) ?? 0) + 1);
    took.set(route, [...(took.get(route) ?? []), performance.now() - begun]);
  };
  const begun = performance.now();
  const running: Promise<void>[] = [];
  // At fixed times, whether or not the ones before are answered: a hub that stalls is asked all the same.
  for (let turn = 0; turn < SECONDS * RATE; turn++) {
    await systemClock.sleep(begun + (turn * 1000) / RATE - performance.now());
    running.push(one(turn));
  }
  await Promise.all(running);
  if (RATE === 0) await systemClock.sleep(SECONDS * 1000);
  return { took, faults, bytes };
}

/** What lies in the stores of a stopped hub. */
async function stored(data: string): Promise<{ samples: number; lines: number }> {
  const open = (name: string) => openDatabase({ folder: join(data, name), memoryMb: 256, threads: 2 });
  const [series, logs] = [await open('series'), await open('logs')];
  const { samples } = await (await openSeriesStore(series, systemClock)).usage();
  const { lines } = await (await openLogStore(logs, systemClock)).usage();
  series.close();
  logs.close();
  return { samples, lines };
}

async function run(hub: RunningHub): Promise<void> {
  const api = await signInFirst(hub);
  const { token } = await api.call<{ token: string }>('POST', '/api/v1/agents/tokens', { uses: AGENTS });
  const { key } = await api.call<{ key: string }>('POST', '/api/v1/users/api-keys', { name: 'bench', role: 'viewer' });
  const identities: SimulatedIdentity[] = [];
  for (let n = 0; n < AGENTS; n++) identities.push(await enrolSimulated(hub.url, token, `bench-${n}`));
  const half = Math.ceil(AGENTS / 2);
  const begun = performance.now();
  const loads = [identities.slice(0, half), identities.slice(half)].filter((part) => part.length > 0).map(startLoad);
  await Promise.all(loads.map(({ ready }) => ready));
  console.log(`history of ${flags.history} s acknowledged after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  // The hub still gathers and seals the history, which comes much faster than it was made.
  await systemClock.sleep(Number(flags.settle) * 1000);
  const pid = hub.program.child.pid ?? 0;
  const before = [pid, ...loads.map(({ child }) => child.pid ?? 0)].map(usage);
  const hosts = identities.map(({ agentId }) => agentId);
  const asking = performance.now();
  const machine = machineUsage();
  const { took, faults, bytes } = await ask(hub, key, hosts);
  const elapsed = (performance.now() - asking) / 1000;
  const all = machineUsage() - machine;
  const after = [pid, ...loads.map(({ child }) => child.pid ?? 0)].map(usage);
  console.log(`on ${cpus().length} cores that hub, agents and asker share, ${AGENTS} agents, ${elapsed.toFixed(0)} s:`);
  for (const [route, values] of took.size === 0 ? [] : [...took, ['all', [...took.values()].flat()] as const])
    console.log(`${route.padEnd(10)}${spread(values)}`);
  const reports = await Promise.all(loads.map((load) => load.stop()));
  const sum = (pick: (report: LoadReport) => number): number => reports.reduce((all, report) => all + pick(report), 0);
  console.log(`acknowledged after  ${spread(reports.flatMap(({ latencies }) => latencies))}`);
  if (RATE > 0)
    console.log(`answers of ${(bytes / SECONDS / RATE / 1000).toFixed(0)} kB; refused: ${JSON.stringify([...faults])}`);
  const share = (index: number): string =>
    (((after[index]?.cpu ?? 0) - (before[index]?.cpu ?? 0)) / (elapsed / 100)).toFixed(1);
  console.log(
    `hub ${share(0)} % of a core, ${after[0]?.rss.toFixed(0)} MB in ${after[0]?.processes} processes; agents ${share(1)} % and ${share(2)} %`,
  );
  const ours = after.reduce((sum, { cpu }, index) => sum + cpu - (before[index]?.cpu ?? 0), 0);
  console.log(`everything else on the machine ${(((all - ours) / elapsed) * 100).toFixed(0)} % of a core`);
  for (const reason of reports.flatMap(({ ended }) => ended)) console.log(`a stream ended: ${reason}`);
  const [sent, acknowledged] = [sum(({ batches }) => batches), sum((report) => report.acknowledged)];
  await hub.program.stop();
  const kept = await stored(hub.data);
  console.log(`batches: ${sent} sent, ${acknowledged} acknowledged, ${sent - acknowledged} lost`);
  console.log(`samples: ${sum(({ samples }) => samples)} sent, ${kept.samples} stored`);
  console.log(`lines: ${sum(({ lines }) => lines)} sent, ${kept.lines} stored besides the hub's own`);
}

const profiling = flags.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`];
const hub = await startHubProgram([], { nodeArgs: profiling });
try {
  await run(hub);
} finally {
  await hub.close();
  rmSync(hub.data, { recursive: true, force: true });
}
