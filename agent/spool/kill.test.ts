import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silentLogger } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { textOf, waitingOf } from '../../test/kit/spooled.ts';
import { openSpool } from './spool.ts';

const LIVES = 4;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-spool-kill-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lets a process put batches, kills it after it has told of so many, and says what it told last. */
async function putAndKill(batches: number): Promise<{ put: number; acked: number }> {
  const script = join(import.meta.dirname, '../../test/kit/spool-until-killed.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const told = { put: 0, acked: 0 };
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, number] = line.split(' ');
    told[what === 'put' ? 'put' : 'acked'] = Number(number);
    if (what === 'put' && ++count === batches) child.kill('SIGKILL');
  }
  if (child.signalCode === null && child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  expect(child.signalCode).toBe('SIGKILL');
  return told;
}

test('whenever the agent is killed, what was durable is there once, whole and in order, and the place is that of the newest', async () => {
  let newest = 0;
  for (let life = 0; life < LIVES; life++) {
    const { put, acked } = await putAndKill(70 + ((life * 37) % 80));
    const spool = await openSpool({ folder, limit: 1e9, log: silentLogger });
    const batches = waitingOf(spool);
    const numbers = batches.map((batch) => Number(textOf(batch))).sort((a, b) => a - b);
    const last = numbers.at(-1) ?? 0;
    expect(put).toBeGreaterThan(newest);
    expect(last).toBeGreaterThanOrEqual(put);
    const due = Array.from({ length: last - Math.max(newest, acked) }, (_, n) => Math.max(newest, acked) + 1 + n);
    // What the hub had is known a moment late, and comes again under its own number.
    expect(numbers.filter((number) => number > Math.max(newest, acked))).toEqual(due);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const batch of batches) expect(batch.logs.length).toBe(200 + ((Number(textOf(batch)) * 7919) % 4000));
    expect([...spool.checkpoints().values()]).toMatchObject([{ path: '/a', offset: last }]);
    expect(spool.lostBatches).toBe(0);
    for (const batch of batches) spool.acknowledge(batch);
    const { carried, waiting, acknowledged, lost } = spool.lines();
    expect([carried, waiting, lost]).toEqual([acknowledged, 0, 0]);
    newest = last;
    await spool.close();
  }
}, 120_000);

/** A file system of two megabytes in a namespace of its own, which ends with its process. */
const onSmallDisk = (command: string): string[] => [
  '--map-root-user',
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o size=2m outrider "$0" && ${command}`,
  folder,
];
const canMount = spawnSync('unshare', ['--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=1m x /tmp']).status === 0; // prettier-ignore

test.runIf(canMount)(
  'a disk that fills up refuses batches until there is room, and holds all that it took',
  () => {
    const script = join(import.meta.dirname, '../../test/kit/spool-on-full-disk.ts');
    const command = `exec "${process.execPath}" --import tsx "${script}" "$0"`;
    const { status, stdout, stderr } = spawnSync('unshare', onSmallDisk(command), { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const told = JSON.parse(stdout) as Record<'put' | 'waiting' | 'again', number[]> & {
      refusals: string[];
      acked: number;
      lostBatches: number;
    };
    expect(told.refusals).toEqual(['ENOSPC', 'ENOSPC', 'ENOSPC']);
    expect(told.put.length).toBeGreaterThan(100);
    const due = told.put.filter((number) => number > told.acked);
    expect([told.waiting, told.again, told.lostBatches]).toEqual([due, due, 0]);
  },
  60_000,
);
