// Where the lines of the rotation bench go: a small hub that speaks the agents' protocol, or a real one whose API is asked for every line.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logs } from '#proto/agent/v1/index.ts';
import { createTestAuthority } from '#kit/authority.ts';
import { runProgram } from '#kit/programs.ts';
import { signInFirst, startHubProgram } from '#kit/running-hub.ts';
import { systemClock } from '#sdk';
import { keepIdentity } from '../../agent/link/identity.ts';
import { startSmallHub } from '../kit/small-hub.ts';

/** The times that are written into lines, milliseconds since 1970: each line has its own, so that a hub can be asked for them in order. */
export const timeOf = (id: number, baseMs: number, rate: number): number => baseMs + Math.floor((id * 1000) / rate);

/** What came out. */
export interface Arrived {
  lost: number;
  doubled: number;
  torn: number;
}

/** Where lines go. */
export interface RotationSink {
  /** Makes a data folder with which an agent may send here. */
  prepare(data: string, logs: string): Promise<void>;
  /** Distinct lines that are there; how many, more or less, of a real hub. */
  count(): number;
  /** Takes nothing for so long. */
  down(ms: number): Promise<void>;
  /** Every line that is there, in any order, given to `take` once. */
  each(take: (text: string) => void): Promise<void>;
  stop(): Promise<void>;
}

function writeSettings(data: string, logs: string): void {
  const settings = { ownLog: false, logs: [{ include: [join(logs, 'app.log')], start: 'beginning' }] };
  writeFileSync(join(data, 'outrider-agent.yaml'), JSON.stringify(settings));
}

function emptyFolder(data: string): void {
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true, mode: 0o700 });
}

/** A small hub that takes each batch once; `forward` hears of each, too. */
export async function smallSink(
  forward: (logs: Logs) => Promise<void> = () => Promise.resolve(),
): Promise<RotationSink> {
  const authority = await createTestAuthority();
  const texts: string[] = [];
  let isDown = false;
  const hub = await startSmallHub(authority, async (logs) => {
    while (isDown) await systemClock.sleep(50);
    for (const { lines } of logs.chunks) for (const { text } of lines) texts.push(text);
    await forward(logs);
  });
  return {
    async prepare(data, logs) {
      emptyFolder(data);
      const { key, certificate } = await authority.agent('agent');
      keepIdentity(data, { agentId: 'agent', link: hub.address, key, certificate, ca: authority.ca });
      writeSettings(data, logs);
    },
    count: () => texts.length,
    async down(ms) {
      isDown = true;
      await systemClock.sleep(ms);
      isDown = false;
    },
    each: (take) => Promise.resolve(texts.forEach((text) => take(text))),
    stop: () => Promise.resolve(hub.stop()),
  };
}

interface Page {
  items: { text: string }[];
  total: number;
}

/** A real hub from dist/ with embedded stores; being down is `kill -9`. Its lines are read second by second of their own times. */
export async function realSink(baseMs: number, seconds: number): Promise<RotationSink> {
  const hub = await startHubProgram();
  const api = await signInFirst(hub);
  let [host, total, isStopped] = ['', 0, false];
  const pageOf = (fromMs: number, toMs: number, offset: number, limit: number): Promise<Page> => {
    const query = { host, from: String(fromMs), to: String(toMs), limit: String(limit), offset: String(offset) };
    return api.call<Page>('GET', `/api/v1/logs/search?${new URLSearchParams(query)}`);
  };
  const looking = (async () => {
    while (!isStopped) {
      const whole =
        host === '' ? undefined : await pageOf(baseMs, baseMs + 1000 * seconds, 0, 1).catch(() => undefined);
      total = whole?.total ?? total;
      await systemClock.sleep(1000);
    }
  })();
  return {
    async prepare(data, logs) {
      emptyFolder(data);
      const { output: token } = await runProgram('hub', ['token', 'create', '--uses', '1', '--data', hub.data]);
      const { code, output } = await runProgram('agent', ['enroll', '--data', data], { input: token.trim() });
      if (code !== 0) throw new Error(output);
      const status = await runProgram('agent', ['status', '--data', data, '--json']);
      host = (JSON.parse(status.output) as { agentId: string }).agentId;
      writeSettings(data, logs);
    },
    count: () => total,
    async down(ms) {
      await hub.program.kill();
      await systemClock.sleep(ms);
      await hub.restart();
    },
    async each(take) {
      for (let second = 0; second < seconds; second++)
        for (let offset = 0, more = true; more; offset += 1000) {
          const fromMs = baseMs + 1000 * second;
          const { items } = await pageOf(fromMs, fromMs + 999, offset, 1000);
          for (const { text } of items) take(text);
          more = items.length === 1000;
        }
    },
    async stop() {
      isStopped = true;
      await looking;
      await hub.close();
    },
  };
}
