import { mkdtempSync, rmSync } from 'node:fs';
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

/** Starts the embedded PostgreSQL on a scratch folder. */
export async function startRelational(): Promise<StartedRelational> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-pg-'));
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
