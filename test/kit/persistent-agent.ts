import { systemClock } from '#sdk';
import { runProgram, until, type Api } from './programs.ts';
import type { RunningHub } from './running-hub.ts';
import { batchMessage, enrolSimulated, openSimulated, tableOf, type SimulatedIdentity } from './simulated-agent.ts';

/** Lines of every batch. */
export const LINES_A_BATCH = 20;

/** How fast an agent sends. */
export interface Pace {
  /** Batches a second, at most. */
  perSecond: number;
  /** The second value of a batch, besides its number, of the agent with that index; 1 when absent. */
  second?(seq: number, agent: number): number;
}

/** An agent that keeps its batches until they are acknowledged, and comes back whenever the stream breaks. */
export function persistentAgent(
  identity: SimulatedIdentity,
  baseMs: number,
  { perSecond, second = () => 1 }: Pace,
  index = 0,
) {
  const begun = performance.now();
  /** Batches that may have been sent by now. */
  const allowed = (): bigint => BigInt(Math.floor(((performance.now() - begun) / 1000) * perSecond) + 1);
  const table = tableOf(['system.cpu.busy', 'system.memory.limit']);
  const epoch = 77n;
  let acknowledged = 0n;
  let sent = 0n;
  let stopping = false;
  const lineOf = (seq: bigint, n: number): string => `agent ${identity.agentId} batch ${seq} line ${n} end`;

  const connectOnce = async (): Promise<void> => {
    let welcomed = false;
    let next = acknowledged + 1n;
    let first = true;
    const stream = openSimulated(identity, epoch, ({ kind }) => {
      if (kind.case === 'welcome') {
        welcomed = true;
        if (kind.value.ackedLive > acknowledged) acknowledged = kind.value.ackedLive;
        next = acknowledged + 1n;
      }
      if (kind.case === 'ack' && kind.value.seq > acknowledged) acknowledged = kind.value.seq;
    });
    let over = false;
    void stream.ended.then(() => (over = true));
    while (!over && !(stopping && acknowledged === sent)) {
      while (welcomed && !over && next <= acknowledged + 16n && next <= allowed() && !(stopping && next > sent)) {
        const lines = Array.from({ length: LINES_A_BATCH }, (_, n) => lineOf(next, n));
        const timeMs = baseMs + Number(next) * 1000;
        stream.send(
          batchMessage({
            epoch,
            seq: next,
            timeMs,
            table,
            values: [Number(next), second(Number(next), index)],
            lines,
            withTable: first,
          }),
        );
        first = false;
        if (next > sent) sent = next;
        next += 1n;
      }
      await systemClock.sleep(5);
    }
    stream.close();
  };
  const work = (async () => {
    while (!stopping || acknowledged < sent) {
      await connectOnce();
      await systemClock.sleep(50);
    }
  })();
  return {
    identity,
    acknowledged: () => acknowledged,
    async finish() {
      stopping = true;
      await work;
      return Number(acknowledged);
    },
  };
}

/** A persistent agent. */
export type PersistentAgent = ReturnType<typeof persistentAgent>;

/** Every line of a host that holds a text, read page by page. */
export async function allLines(api: Api, host: string, text: string): Promise<string[]> {
  const got: string[] = [];
  for (let offset = 0; ; offset += 1000) {
    const query = new URLSearchParams({
      host,
      q: text,
      from: '-12h',
      to: '+12h',
      limit: '1000',
      offset: String(offset),
    });
    const page = await api.call<{ items: { text: string }[] }>('GET', `/api/v1/logs/search?${query}`);
    got.push(...page.items.map((item) => item.text));
    if (page.items.length < 1000) return got;
  }
}

/** Enrols agents and lets them stream, each a second of samples and some lines a batch, as fast as they are acknowledged. */
export async function startPersistentAgents(
  hub: RunningHub,
  count: number,
  pace: Pace = { perSecond: 100 },
  baseMs = Math.floor(Date.now() / 1000) * 1000 - 6 * 3_600_000,
): Promise<{ agents: PersistentAgent[]; baseMs: number }> {
  const { output: token } = await runProgram('hub', ['token', 'create', '--uses', String(count), '--data', hub.data]);
  const identities = await Promise.all(
    Array.from({ length: count }, (_, n) => enrolSimulated(hub.url, token.trim(), `simulated-${n}`)),
  );
  return { agents: identities.map((identity, index) => persistentAgent(identity, baseMs, pace, index)), baseMs };
}

/** Waits until every agent has been acknowledged some batches more. */
export async function untilFurther(agents: readonly PersistentAgent[], batches = 10, seconds = 30): Promise<void> {
  const before = agents.map((agent) => agent.acknowledged());
  await until(
    'every agent gets further',
    () => agents.every((agent, n) => agent.acknowledged() > (before[n] ?? 0n) + BigInt(batches)) || undefined,
    seconds,
  );
}

/** What of one agent's acknowledged data the hub does not have, or has twice; empty when all is well. */
async function gapsOf(api: Api, agentId: string, count: number, baseMs: number): Promise<string[]> {
  const gaps: string[] = [];
  const lines = await allLines(api, agentId, 'batch');
  if (new Set(lines).size !== count * LINES_A_BATCH)
    gaps.push(`${new Set(lines).size} of ${count * LINES_A_BATCH} lines`);
  if (lines.length !== new Set(lines).size) gaps.push(`${lines.length - new Set(lines).size} lines twice`);
  // A page of history at a time: an answer holds so many points.
  for (let from = 0; from < count; from += 3_000) {
    const upTo = Math.min(count, from + 3_000);
    const range = { from: String(baseMs + (from + 1) * 1000), to: String(baseMs + (upTo + 1) * 1000) };
    const query = new URLSearchParams({ name: 'system.cpu.busy', ...range, step: '1s' });
    interface Answer {
      series: { times: number[]; last: number[] }[];
    }
    const { series } = await api.call<Answer>('GET', `/api/v1/monitoring/metrics/${agentId}?${query}`);
    const wanted = Array.from({ length: upTo - from }, (_, n) => from + n + 1);
    const { times = [], last = [] } = series[0] ?? {};
    const wrong = wanted.filter((seq, n) => last[n] !== seq || times[n] !== baseMs + seq * 1000);
    if (wrong.length > 0) gaps.push(`samples ${wrong.slice(0, 5).join(', ')} … (${wrong.length})`);
  }
  return gaps;
}

/** Stops the agents and waits until the hub has all that it acknowledged, once. Fails with what is missing or there twice. */
export async function demandNothingLost(
  api: Api,
  { agents, baseMs }: { agents: readonly PersistentAgent[]; baseMs: number },
): Promise<number> {
  const counts = await Promise.all(agents.map((agent) => agent.finish()));
  for (const [n, { identity }] of agents.entries()) {
    let gaps: string[] = [];
    await until(
      `all of agent ${n} is there`,
      async () => {
        gaps = await gapsOf(api, identity.agentId, counts[n] ?? 0, baseMs);
        return gaps.length === 0 || undefined;
      },
      120,
    ).catch((error: unknown) => {
      throw new Error(`agent ${n}: ${gaps.join('; ')}`, { cause: error });
    });
  }
  return counts.reduce((sum, count) => sum + count, 0);
}
