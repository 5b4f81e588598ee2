/**
 * Prints how many agents a hub bears: `npx tsx test/bench/fleet.ts [--agents 100,300,1000] [--series 300] [--lines 5] [--seconds 60] [--hub all|replicas] [--transport grpc|nats]`.
 *
 * A real hub from dist/; agents in two processes of their own over the agent's own transports with certificates of the hub, each a batch a second.
 * `--hub all` is one process with every store embedded. `--hub replicas` is three processes of ingest and one of everything else, on real servers of
 * PostgreSQL, NATS and Redis; with `--transport nats` agents send into a NATS server of their own. A run bears its agents when as many batches are
 * acknowledged and handed on as are sent and no agent had to hold any back.
 *
 * Measured on two cores with other work beside it, 300 series and 5 lines an agent and second, a minute each. Judge the order by it, and measure on a machine of your own:
 * - replicas, NATS (load 5 to 9): 100 agents are borne: 30,000 samples/s, 500 lines/s, three ingests 6 % of a core and 180 MB each, the rest of the hub 39 % and 451 MB, the
 *   agents' NATS 18 % and 54 MB, acknowledged after p50 2 ms and p99 11 ms. Of 300 all 89,955 samples/s and 1,499 lines/s are acknowledged (p99 153 ms) and 201 of 300 batches a second
 *   handed on: the rest waits in JetStream. Of 1,000, 263,679 samples/s and 4,395 lines/s are acknowledged (p50 7.5 s, p99 13.9 s), nothing held back, and 190 batches a second handed
 *   on; by then both cores are at their end. While other programs took two thirds of them (load 18 to 33, an fsync 7 ms and more), 100 were borne as well (p99 1.0 s).
 * - all, gRPC, load 5: of 1,000 agents 272,375 samples/s and 4,540 lines/s are acknowledged (p50 12.6 s, p99 44.8 s) and 911 of 956 batches a second handed on, with 132 % of a core and
 *   1,518 MB. At load 18 to 33: 100 agents are borne: 40,400 samples/s (a part of them from before), 673 lines/s, hub 45 % of a core and 726 MB, acknowledged after p50 0.3 s and
 *   p99 13.8 s. Of 300 it takes 69,700 samples/s, 232 of 298 batches a second; of 1,000 most streams end, because PostgreSQL no longer answers.
 * The same two cores with nothing else on them, all in one process, gRPC: 300 agents are borne: 97,600 samples/s, 1,627 lines/s, hub 74 % of a core and
 * 1,210 MB, acknowledged after p50 0.1 s and p99 7.2 s. Of 1,000 it takes 67,100 samples/s, 225 of 1,000 batches a second (p99 51 s), with 116 % of a core and
 * 1,306 MB; 137 streams end, because PostgreSQL no longer answers while they all come at once.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, runProgram, until } from '#kit/programs.ts';
import { sharedStores, signInFirst, startHubProgram, startParts, type RunningHub } from '#kit/running-hub.ts';
import { enrolSimulated, type SimulatedIdentity } from '#kit/simulated-agent.ts';
import { systemClock } from '#sdk';
import { services } from '../../hub/catalogue.ts';
import { startBalancer } from '../kit/balancer.ts';
import type { FleetOrder, FleetReport } from '../kit/fleet-agents.ts';
import type { OwnServer } from '../services/kind.ts';
import { nats as natsKind, type NatsAddress } from '../services/nats.ts';
import { machineUsage, usage } from './usage.ts';

const { values: flags } = parseArgs({
  options: {
    agents: { type: 'string', default: '100,300,1000' },
    series: { type: 'string', default: '300' },
    lines: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    settle: { type: 'string', default: '15' },
    hub: { type: 'string', default: 'all' },
    transport: { type: 'string', default: 'grpc' },
  },
});
const [SERIES, LINES, SECONDS, SETTLE] = [flags.series, flags.lines, flags.seconds, flags.settle].map(Number) as [
  number,
  number,
  number,
  number,
];
const IS_NATS = flags.transport === 'nats';
const INGESTS = 3;
const ENROLLING = 4;

/** A hub under load, and the server that its agents send to if that is not the hub. */
interface Bench {
  hub: RunningHub;
  /** Where each process that takes batches tells what it counts. */
  ingests: string[];
  server?: OwnServer<NatsAddress>;
  close(): Promise<void>;
}

async function agentsServer(): Promise<OwnServer<NatsAddress> | undefined> {
  return IS_NATS ? (await natsKind.findOwn()).start() : undefined;
}

/** Lets the hub's agents into a server that does not know it yet. */
async function introduce(data: string, server: OwnServer<NatsAddress>): Promise<void> {
  const { output } = await runProgram('hub', ['nats-config', '--data', data]);
  await server.kill();
  appendFileSync(join(server.instance.folder, 'nats.conf'), output);
  await server.again();
  // Hubs that wait for a server come back within seconds, one after another.
  await systemClock.sleep(15_000);
}

async function startOne(): Promise<Bench> {
  const server = await agentsServer();
  const env: Record<string, string> =
    server === undefined ? {} : { OUTRIDER_INGEST__NATS__SERVERS: server.address.url };
  const hub = await startHubProgram([], { env }, 'all');
  if (server !== undefined) await introduce(hub.data, server);
  return {
    hub,
    ingests: [hub.url],
    ...(server === undefined ? {} : { server }),
    async close() {
      await hub.close();
      await server?.stop();
      rmSync(hub.data, { recursive: true, force: true });
    },
  };
}

/** Three processes of ingest and one of everything else. */
async function startReplicas(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-fleet-'));
  const stores = await sharedStores();
  const server = await agentsServer();
  const others = Object.keys(services).filter((name) => name !== 'ingest');
  const names = Array.from({ length: INGESTS }, (_, n) => `ingest-${n + 1}`);
  const ports = await Promise.all(['rest', ...names].map(freePort));
  const grpcPorts = await Promise.all(names.map(freePort));
  const [rest = 0, ...own] = ports;
  const link = await startBalancer(grpcPorts);
  const urls = own.map((port) => `http://127.0.0.1:${port}`);
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  const env = {
    ...stores.env,
    OUTRIDER_BUS__MAX_GB: '2',
    OUTRIDER_URL: at(rest),
    OUTRIDER_INGEST__ADVERTISE: `127.0.0.1:${link.port}`,
    OUTRIDER_PEERS__ADDRESSES__INGEST: urls.join(','),
    ...Object.fromEntries(others.map((name) => [`OUTRIDER_PEERS__ADDRESSES__${name.toUpperCase()}`, at(rest)])),
    ...(server === undefined ? {} : { OUTRIDER_INGEST__NATS__SERVERS: server.address.url }),
  };
  const of = (name: string, target: string, port: number, ...more: string[]) => ({
    name,
    args: ['--target', target, '--data', join(folder, name), '--port', String(port), ...more],
    env,
  });
  const hub = await startParts({
    parts: [
      of('gateway', others.join(','), rest),
      ...names.map((name, n) => of(name, 'ingest', own[n] ?? 0, '--grpc-port', String(grpcPorts[n]))),
    ],
    options: {},
    at: { port: rest, grpcPort: link.port, data: join(folder, 'gateway'), urls: {} },
    async remove() {
      await Promise.all([stores.stop(), link.stop(), server?.stop()]);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  });
  if (server !== undefined) await introduce(join(folder, 'ingest-1'), server);
  return { hub, ingests: urls, ...(server === undefined ? {} : { server }), close: () => hub.close() };
}

interface FleetProcess {
  child: ChildProcess;
  ready: Promise<unknown>;
  begin(): void;
  end(): Promise<FleetReport>;
  stop(): Promise<void>;
}

function startFleet(identities: readonly SimulatedIdentity[], bench: Bench): FleetProcess {
  const child = fork(join(import.meta.dirname, '../kit/fleet-agents.ts'), { execArgv: ['--import', 'tsx'] });
  const next = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      const gone = (code: number | null): void => reject(new Error(`the agents ended with ${code}`));
      child.once('exit', gone);
      child.once('message', (message) => {
        child.off('exit', gone);
        resolve(message as T);
      });
    });
  const server = bench.server?.address.url.replace('nats://', '');
  const nats = { servers: server === undefined ? [] : [server], ca: '', certificate: '', key: '', credentials: '' };
  const link: FleetOrder['link'] = { transport: IS_NATS ? 'nats' : 'grpc', nats, compression: 'auto' };
  const ready = next();
  child.send({ identities, link, series: SERIES, lines: LINES } satisfies FleetOrder);
  return {
    child,
    ready,
    begin: () => void child.send('begin'),
    end() {
      const report = next<FleetReport>();
      child.send('end');
      return report;
    },
    async stop() {
      const over = new Promise((resolve) => child.once('exit', resolve));
      child.send('stop');
      await over;
    },
  };
}

/** Batches that all processes of ingest have handed on so far. */
async function handedOn({ ingests }: Bench): Promise<number> {
  const texts = await Promise.all(ingests.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return texts.reduce((sum, text) => sum + Number(/^outrider_ingest_batches_total (\d+)/m.exec(text)?.[1] ?? 0), 0);
}

const quantile = (sorted: readonly number[], q: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN).toFixed(0);

/** Programs by what they are to the bench. */
function pidsOf({ hub, server }: Bench, fleets: readonly FleetProcess[]): Map<string, number> {
  const parts = [...hub.parts].map(([name, { child }]) => [name === 'all' ? 'hub' : name, child.pid ?? 0] as const);
  const own = server === undefined ? [] : [['the agents’ NATS', server.instance.processes[0]?.pid ?? 0] as const];
  return new Map([...parts, ...own, ...fleets.map(({ child }, n) => [`agents ${n + 1}`, child.pid ?? 0] as const)]);
}

async function measure(bench: Bench, fleets: readonly FleetProcess[], agents: number): Promise<void> {
  const pids = pidsOf(bench, fleets);
  const look = () => new Map([...pids].map(([name, pid]) => [name, usage(pid)] as const));
  const [before, machine, handed, begun] = [look(), machineUsage(), await handedOn(bench), performance.now()];
  for (const fleet of fleets) fleet.begin();
  await systemClock.sleep(SECONDS * 1000);
  const reports = await Promise.all(fleets.map((fleet) => fleet.end()));
  const elapsed = (performance.now() - begun) / 1000;
  const [after, all, on] = [look(), machineUsage() - machine, (await handedOn(bench)) - handed];
  const sum = (pick: (report: FleetReport) => number): number => reports.reduce((total, one) => total + pick(one), 0);
  const a = (count: number): string => (count / elapsed).toFixed(0);
  const acknowledged = sum((one) => one.acknowledged);
  const sorted = reports.flatMap(({ latencies }) => latencies).sort((x, y) => x - y);
  const [p50, p95, p99, most] = [0.5, 0.95, 0.99, 1].map((q) => quantile(sorted, q));
  console.log(`${agents} agents, ${elapsed.toFixed(0)} s, load ${loadavg()[0]?.toFixed(1)}:`);
  console.log(`  ${a(acknowledged * SERIES)} samples/s and ${a(acknowledged * LINES)} lines/s acknowledged`);
  const [sent, held] = [sum((one) => one.sent), sum((one) => one.held)];
  console.log(
    `  batches/s: ${a(sent)} sent, ${a(acknowledged)} acknowledged, ${a(on)} handed on; ${held} held back, ${sum((one) => one.underWay)} under way`,
  );
  console.log(`  acknowledged after p50 ${p50}  p95 ${p95}  p99 ${p99}  max ${most} ms`);
  let ours = 0;
  for (const [name, now] of after) {
    const cpu = now.cpu - (before.get(name)?.cpu ?? 0);
    ours += cpu;
    console.log(`  ${name}: ${((cpu / elapsed) * 100).toFixed(0)} % of a core, ${now.rss.toFixed(0)} MB`);
  }
  console.log(`  everything else on the machine: ${(((all - ours) / elapsed) * 100).toFixed(0)} % of a core`);
  const ended = reports.flatMap((report) => report.ended);
  for (const reason of new Set(ended))
    console.log(`  ${ended.filter((one) => one === reason).length} streams ended: ${reason}`);
}

async function run(bench: Bench): Promise<void> {
  const { hub } = bench;
  const steps = flags.agents.split(',').map(Number);
  const most = Math.max(...steps);
  const api = await signInFirst(hub);
  const { token } = await api.call<{ token: string }>('POST', '/api/v1/agents/tokens', { uses: most });
  const identities: SimulatedIdentity[] = [];
  const enrol = async (): Promise<void> => {
    while (identities.length < most) {
      const at = identities.push(undefined as unknown as SimulatedIdentity) - 1;
      const enrolOne = () => enrolSimulated(hub.url, token, `fleet-${at}`).catch(() => undefined);
      identities[at] = await until('an agent is enrolled, on a machine that may be busy', enrolOne, 120);
    }
  };
  await Promise.all(Array.from({ length: ENROLLING }, enrol));
  console.log(`${most} agents enrolled; ${cpus().length} cores that hub, servers and agents share`);
  for (const agents of steps) {
    const half = Math.ceil(agents / 2);
    const fleets = [identities.slice(0, half), identities.slice(half, agents)].map((part) => startFleet(part, bench));
    await Promise.all(fleets.map(({ ready }) => ready));
    await systemClock.sleep(SETTLE * 1000);
    await measure(bench, fleets, agents);
    await Promise.all(fleets.map((fleet) => fleet.stop()));
    await until('the hub has seen the end of them', () => systemClock.sleep(3000).then(() => true));
  }
}

const bench = await (flags.hub === 'replicas' ? startReplicas() : startOne());
try {
  await run(bench);
} finally {
  await bench.close();
}
