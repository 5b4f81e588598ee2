import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger } from '#sdk';
import { afterEach, describe, expect, test } from 'vitest';
import type { Database } from './database.ts';
import { createRunningStore } from './running-store.ts';

const scratch: string[] = [];
afterEach(() => scratch.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

test.runIf(process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0)(
  'a disk that fills up while samples arrive refuses them, goes on once there is room, and loses nothing',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'outrider-full-'));
    scratch.push(folder);
    const script = join(import.meta.dirname, '../../../test/kit/append-on-full-disk.ts');
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, folder], {
      encoding: 'utf8',
    });
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
    const told = JSON.parse(stdout) as {
      refusals: string[];
      acknowledged: number;
      after: number;
      samples: number;
      each: number;
    };
    expect(told.refusals.length).toBeGreaterThanOrEqual(3);
    expect(new Set(told.refusals)).toEqual(new Set(['store.unavailable true']));
    expect(told.after).toBe(3);
    expect(told.samples).toBe(told.acknowledged * told.each);
  },
  90_000,
);

describe('a store that DuckDB has given up', () => {
  const GIVEN_UP = new Error('FATAL Error: Failed: database has been invalidated because of a previous fatal error.');
  const lines: string[] = [];
  const log = { ...silentLogger, error: (text: string) => void lines.push(text) };

  function running(openings: (() => Promise<void>)[]) {
    const clock = createManualClock();
    const closed: number[] = [];
    let nth = 0;
    const store = createRunningStore({
      name: 'the store',
      clock,
      log,
      async open() {
        const number = nth++;
        await openings[number]?.();
        const database = { close: () => void closed.push(number) } as unknown as Database;
        const kept = { number, upkeep: () => Promise.resolve(), drain: () => Promise.resolve() };
        return { database, store: kept };
      },
    });
    return { clock, closed, store };
  }
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

  test('is closed and opened anew, once for all who met the fault, and refuses meanwhile', async () => {
    const { clock, closed, store } = running([]);
    await store.start();
    const fail = (): Promise<never> => store.use(() => Promise.reject(GIVEN_UP));
    const refused = await Promise.allSettled([fail(), fail(), store.use(async () => 1)]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    await settled();
    expect(await store.use(async ({ number }) => number)).toBe(1);
    expect(closed).toEqual([0]);
    await store.stop();
    await clock.advance(60_000);
    expect(closed).toEqual([0, 1]);
  });

  test('is tried again every few seconds while it cannot be opened, and stops when told to', async () => {
    const full = (): Promise<never> => Promise.reject(new Error('No space left on device'));
    const { clock, store } = running([() => Promise.resolve(), full, full]);
    await store.start();
    await expect(store.use(() => Promise.reject(GIVEN_UP))).rejects.toMatchObject({ code: 'store.unavailable' });
    await settled();
    await expect(store.use(async () => 1)).rejects.toMatchObject({ code: 'store.unavailable', retryable: true });
    for (let turn = 0; turn < 2; turn++) {
      await clock.advance(5000);
      await settled();
    }
    expect(await store.use(async ({ number }) => number)).toBe(3);
    await store.stop();
    await expect(store.use(async () => 1)).rejects.toMatchObject({ code: 'store.unavailable' });
  });

  test('lets every other error through', async () => {
    const { store } = running([]);
    await store.start();
    await expect(store.use(() => Promise.reject(new Error('a bad batch')))).rejects.toThrow('a bad batch');
    expect(await store.use(async ({ number }) => number)).toBe(0);
    await store.stop();
  });
});
