import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allLines, demandNothingLost, startPersistentAgents, untilFurther } from '#kit/persistent-agent.ts';
import { runProgram, startProgram, until } from '#kit/programs.ts';
import { signInFirst, startHubProgram, type RunningHub } from '#kit/running-hub.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

const KILLS = 10;
const AGENTS = 3;

let hub: RunningHub;
beforeAll(async () => {
  hub = await startHubProgram();
});
afterAll(async () => hub.close());

async function joinToken(uses: number): Promise<string> {
  const { output } = await runProgram('hub', ['token', 'create', '--uses', String(uses), '--data', hub.data]);
  return output.trim();
}

test('a hub that is killed ten times under load keeps what it acknowledged, once', async () => {
  const load = await startPersistentAgents(hub, AGENTS);
  for (let kill = 0; kill < KILLS; kill++) {
    await untilFurther(load.agents);
    await hub.program.kill();
    await hub.restart();
  }
  expect(await demandNothingLost(await signInFirst(hub), load)).toBeGreaterThan(KILLS * AGENTS * 10);
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
