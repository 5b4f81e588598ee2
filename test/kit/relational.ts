import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedRelational } from '../../hub/adapters/relational/embedded/index.ts';
import type { Relational } from '../../hub/ports/relational.ts';
import { makeAdapter } from './stores.ts';

/** A PostgreSQL of a test's own. */
export interface StartedRelational {
  relational: Relational;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

/** A data folder that was started once, kept for all tests of this user: a copy takes a third of the time that making one takes. */
async function template(): Promise<string> {
  const maker = readFileSync(join(import.meta.dirname, '../../hub/adapters/relational/embedded/cluster.ts'));
  const form = createHash('sha256').update(maker).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `outrider-template-${process.getuid?.() ?? 'user'}-${form}`);
  if (existsSync(folder)) return folder;
  const aside = mkdtempSync(join(tmpdir(), 'outrider-pg-'));
  const adapter = makeAdapter(embeddedRelational, aside);
  await adapter.start?.();
  await adapter.stop?.();
  try {
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // Else another worker was quicker.
  }
  return folder;
}

/** Where scratch clusters lie: in memory where there is plenty, because flushing a fresh copy to a disk takes a second. */
function scratchRoot(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 2e9 ? memory : tmpdir();
}

/** A scratch data folder in which PostgreSQL was started before. */
export async function startedDataFolder(): Promise<string> {
  const folder = mkdtempSync(join(scratchRoot(), 'outrider-pg-'));
  // Owners must be kept, which only cp does.
  if (process.platform !== 'win32') execFileSync('cp', ['-a', `${await template()}/.`, folder]);
  return folder;
}

/** Starts the embedded PostgreSQL on a scratch folder, empty. */
export async function startRelational(): Promise<StartedRelational> {
  const folder = await startedDataFolder();
  const adapter = makeAdapter(embeddedRelational, folder);
  await adapter.start?.();
  return {
    relational: adapter.port,
    async stop() {
      await adapter.stop?.();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
