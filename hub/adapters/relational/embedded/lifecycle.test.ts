import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KILLED_ORG } from '#kit/killed-stores.ts';
import { until } from '#kit/programs.ts';
import { startedDataFolder } from '#kit/relational.ts';
import { silentLogger, systemClock } from '#sdk';
import { sql } from 'kysely';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { embeddedRelational } from './index.ts';

const asRoot = process.getuid?.() === 0;
const KIT = join(import.meta.dirname, '../../../../test/kit');

let folder: string;
beforeEach(async () => {
  folder = await startedDataFolder();
});
afterEach(() => {
  const place = join(folder, 'data', 'postgres.place');
  if (existsSync(place)) rmSync(readFileSync(place, 'utf8'), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

const pidOf = (cluster = join(folder, 'postgres')): number | undefined =>
  existsSync(join(cluster, 'postmaster.pid'))
    ? Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
    : undefined;

/** Starts it, lets it work, and stops it. */
async function whileRunning(data: string, work: (adapter: ReturnType<typeof make>) => Promise<void>): Promise<void> {
  const adapter = make(data);
  try {
    await adapter.start?.();
    await work(adapter);
  } finally {
    await adapter.stop?.();
  }
}
const make = (data: string, fail: (error: Error) => void = () => undefined) =>
  embeddedRelational.create({
    config: { connections: 4 },
    dataFolder: data,
    metrics: new Registry(),
    log: silentLogger,
    clock: systemClock,
    fail,
  });
const answers = (data = folder): Promise<void> => whileRunning(data, (adapter) => adapter.port.check());

describe('a killed hub', () => {
  test('starts again ten times, and nothing that was committed is missing', { timeout: 120_000 }, async () => {
    const committed: number[] = [];
    for (let kill = 0; kill < 10; kill++) {
      const args = ['--import', 'tsx', join(KIT, 'commit-until-killed.ts'), folder, String(kill * 10_000)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        committed.push(Number(line));
        if (++lines === 50) child.kill('SIGKILL');
      }
      expect(await ended).toBe('SIGKILL');
    }
    await whileRunning(folder, async ({ port }) => {
      const rows = await port.forOrg(
        'killed',
        KILLED_ORG,
        async (db) => (await sql<{ n: number }>`SELECT n FROM number`.execute(db)).rows,
      );
      const kept = new Set(rows.map(({ n }) => n));
      expect(committed.filter((n) => !kept.has(n))).toEqual([]);
      expect(committed.length).toBeGreaterThanOrEqual(500);
    });
    expect(pidOf()).toBeUndefined();
  });

  test('in the middle of its first start begins again', async () => {
    renameSync(join(folder, 'postgres'), join(folder, 'postgres.new'));
    rmSync(join(folder, 'postgres.new', 'global'), { recursive: true });
    await answers();
    expect(existsSync(join(folder, 'postgres.new'))).toBe(false);
  });

  test('whose process number went to somebody else starts, and leaves that one alone', async () => {
    const other = spawn('sleep', ['60']);
    try {
      writeFileSync(join(folder, 'postgres', 'postmaster.pid'), `${other.pid}\n/else\n1\n5432\n\n\n\n`);
      await answers();
      expect(other.exitCode ?? other.signalCode).toBeNull();
    } finally {
      other.kill();
    }
  });
});

describe('a PostgreSQL that ends by itself', () => {
  test('runs again in a moment', async () => {
    await whileRunning(folder, async (adapter) => {
      const first = pidOf() ?? 0;
      process.kill(first, 'SIGKILL');
      await until('another process answers', async () => {
        if (pidOf() === first) return undefined;
        await adapter.port.check();
        return true;
      });
    });
  });

  test('again and again stops the hub with the reason', async () => {
    const failures: Error[] = [];
    const adapter = make(folder, (error) => failures.push(error));
    await adapter.start?.();
    const killed = new Set<number>();
    await until('the hub is told', () => {
      const pid = pidOf();
      if (pid !== undefined && !killed.has(pid)) {
        killed.add(pid);
        process.kill(pid, 'SIGKILL');
      }
      return failures.length > 0 || undefined;
    });
    expect(failures).toMatchObject([{ code: 'relational.cannot-start' }]);
    await expect(adapter.port.check()).rejects.toMatchObject({ code: 'relational.unavailable' });
    await adapter.stop?.();
  });
});

describe('a data folder', () => {
  test('of another major version asks for a restore', async () => {
    writeFileSync(join(folder, 'postgres', 'PG_VERSION'), '17\n');
    await expect(answers()).rejects.toMatchObject({ code: 'relational.other-major' });
  });

  test('that lost its secret says which file is missing', async () => {
    rmSync(join(folder, 'postgres.secret'));
    await expect(answers()).rejects.toThrow(join(folder, 'postgres.secret'));
  });

  test('shows nobody its secret, its socket or its log', async () => {
    const modeOf = (path: string): string => (statSync(join(folder, path)).mode & 0o777).toString(8);
    await whileRunning(folder, () => {
      expect(modeOf('.')).toBe(asRoot ? '710' : '700');
      expect(['postgres', 'postgres-socket', 'log'].map(modeOf)).toEqual(['700', '700', '700']);
      expect(['postgres.secret', 'log/postgres.log'].map(modeOf)).toEqual(['600', '600']);
      return Promise.resolve();
    });
    expect(existsSync(join(folder, 'postgres-socket'))).toBe(false);
  });

  test('with a long path keeps its socket elsewhere', async () => {
    const deep = join(folder, 'd'.repeat(120));
    mkdirSync(deep, { mode: 0o700 });
    // Root may not let others into a folder that it does not own.
    if (asRoot) chmodSync(folder, 0o711);
    await answers(deep);
    expect(existsSync(join(deep, 'postgres-socket'))).toBe(false);
  });

  test.runIf(asRoot)('below a closed folder has its cluster where the system user can reach it', async () => {
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    await answers(data);
    const place = readFileSync(join(data, 'postgres.place'), 'utf8');
    expect(existsSync(join(place, 'postgres', 'PG_VERSION'))).toBe(true);
    await answers(data);

    const copy = join(folder, 'copy');
    cpSync(data, copy, { recursive: true });
    await expect(answers(copy)).rejects.toThrow('is a copy of');
    rmSync(data, { recursive: true });
    await answers(copy);
    cpSync(copy, data, { recursive: true });
  });
});

test('a socket folder that somebody else made is refused', async () => {
  symlinkSync(tmpdir(), join(folder, 'postgres-socket'));
  await expect(answers()).rejects.toThrow('belongs to another user');
});
