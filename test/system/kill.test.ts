import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  batchMessage,
  enrolSimulated,
  openSimulated,
  runProgram,
  signInFirst,
  startHubProgram,
  startProgram,
  tableOf,
  until,
  type Api,
  type RunningHub,
  type SimulatedIdentity,
} from '#kit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const KILLS = 10;
const AGENTS = 3;
const LINES_A_BATCH = 20;

let hub: RunningHub;
beforeAll(async () => {
  hub = await startHubProgram();
});
afterAll(async () => hub.close());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function joinToken(uses: number): Promise<string> {
  const { output } = await runProgram('hub', ['token', 'create', '--uses', String(uses), '--data', hub.data]);
  return output.trim();
}

/** An agent that keeps its batches until they are acknowledged, and comes back whenever the stream breaks. */
function persistentAgent(identity: SimulatedIdentity, baseMs: number) {
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
      while (welcomed && !over && next <= acknowledged + 16n && !(stopping && next > sent)) {
        const lines = Array.from({ length: LINES_A_BATCH }, (_, n) => lineOf(next, n));
        const timeMs = baseMs + Number(next) * 1000;
        stream.send(
          batchMessage({ epoch, seq: next, timeMs, table, values: [Number(next), 1], lines, withTable: first }),
        );
        first = false;
        if (next > sent) sent = next;
        next += 1n;
      }
      await pause(5);
    }
    stream.close();
  };
  const work = (async () => {
    while (!stopping || acknowledged < sent) {
      await connectOnce();
      await pause(50);
    }
  })();
  return {
    acknowledged: () => acknowledged,
    lineOf,
    async finish() {
      stopping = true;
      await work;
      return Number(acknowledged);
    },
  };
}

async function allLines(api: Api, host: string, text: string): Promise<string[]> {
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

test('a hub that is killed ten times under load keeps what it acknowledged, once', async () => {
  const token = await joinToken(AGENTS);
  const identities = await Promise.all(
    Array.from({ length: AGENTS }, (_, n) => enrolSimulated(hub.url, token, `simulated-${n}`)),
  );
  const baseMs = Math.floor(Date.now() / 1000) * 1000 - 6 * 3_600_000;
  const agents = identities.map((identity) => persistentAgent(identity, baseMs));
  for (let kill = 0; kill < KILLS; kill++) {
    const before = agents.map((agent) => agent.acknowledged());
    await until(
      'every agent gets further',
      () => agents.every((agent, n) => agent.acknowledged() > (before[n] ?? 0n) + 10n) || undefined,
    );
    await hub.program.kill();
    await hub.restart();
  }
  const counts = await Promise.all(agents.map((agent) => agent.finish()));
  const api = await signInFirst(hub);
  for (const [n, { agentId }] of identities.entries()) {
    const count = counts[n] ?? 0;
    const lines = await allLines(api, agentId, 'batch');
    expect(new Set(lines).size).toBe(count * LINES_A_BATCH);
    expect(lines.length).toBe(count * LINES_A_BATCH);
    const query = new URLSearchParams({
      name: 'system.cpu.busy',
      from: String(baseMs),
      to: String(baseMs + (count + 1) * 1000),
      step: '1s',
    });
    const { series } = await api.call<{ series: { times: number[]; last: number[]; min: number[]; max: number[] }[] }>(
      'GET',
      `/api/v1/monitoring/metrics/${agentId}?${query}`,
    );
    expect(series[0]?.last).toEqual(Array.from({ length: count }, (_, seq) => seq + 1));
    expect(series[0]?.times).toEqual(Array.from({ length: count }, (_, seq) => baseMs + (seq + 1) * 1000));
  }
});

test('an agent that is killed ten times under load sends every line, once', async () => {
  const data = mkdtempSync(join(tmpdir(), 'outrider-agent-'));
  const logs = mkdtempSync(join(tmpdir(), 'outrider-logs-'));
  const file = join(logs, 'app.log');
  appendFileSync(file, 'a line from before the agent\n');
  const enrolled = await runProgram('agent', ['enroll', '--data', data], { input: await joinToken(1) });
  expect(enrolled.code, enrolled.output).toBe(0);
  const { agentId } = JSON.parse((await runProgram('agent', ['status', '--data', data, '--json'])).output) as {
    agentId: string;
  };
  const args = ['run', '--data', data, '--log-file', file];
  let agent = startProgram('agent', args);
  const api = await signInFirst(hub);
  let written = 0;
  const write = (): void => {
    let text = '';
    for (let n = 0; n < 100; n++) text += `written line ${written++} end\n`;
    appendFileSync(file, text);
  };
  const stored = async (text = 'written line'): Promise<number> => {
    const query = new URLSearchParams({ host: agentId, q: text, from: '-1h', to: '+1h', limit: '1' });
    return (await api.call<{ total: number }>('GET', `/api/v1/logs/search?${query}`)).total;
  };
  try {
    await until('the agent reads the file', async () => {
      write();
      return (await stored()) > 0 || undefined;
    });
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await stored();
      await until('more lines arrive', async () => {
        write();
        return (await stored()) > before || undefined;
      });
      await agent.kill();
      write();
      agent = startProgram('agent', args);
    }
    // Those that were written before the agent had opened the file are not its business.
    const last = `written line ${written - 1} end`;
    await until('the last line has arrived', async () => (await stored(last)) > 0 || undefined, 60);
    const lines = (await allLines(api, agentId, 'written line')).map((line) =>
      Number(/line (\d+) end$/.exec(line)?.[1]),
    );
    const firstSeen = Math.min(...lines);
    expect(firstSeen).toBeLessThan(2000);
    expect(lines.sort((a, b) => a - b)).toEqual(Array.from({ length: written - firstSeen }, (_, n) => firstSeen + n));
  } finally {
    await agent.stop();
    rmSync(data, { recursive: true, force: true });
    rmSync(logs, { recursive: true, force: true });
  }
});
