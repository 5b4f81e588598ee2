import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HOST_MODEL_LIMIT } from '#proto/agent/v1/host-model.ts';
import { writeFileDurably } from '#sdk';
import { readHostModel, type HostModel } from '../../../plugins/models/index.ts';

/** Models that the hub gave, on the disk: each is a document of its own, named by its digest, and verified whenever it is read. */
export interface ModelStore {
  /** Verifies a document; throws with what is wrong. */
  verify(digest: string, text: string): HostModel;
  /** Keeps one that was verified; throws when the disk takes nothing. */
  keep(digest: string, text: string): void;
  /** One that is kept; undefined where there is none, or where it is damaged. */
  read(digest: string): HostModel | undefined;
  /** Removes all others. */
  retain(digests: ReadonlySet<string>): void;
}

function verified(digest: string, text: string): HostModel {
  const model = readHostModel(text);
  if (model.document.digest !== digest) throw new Error('it is not the model of the digest that came with it');
  return model;
}

/** Opens the models that lie in a folder. */
export function openModelStore(folder: string): ModelStore {
  const fileOf = (digest: string): string => join(folder, `${digest}.json`);
  return {
    verify: verified,
    keep(digest, text) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileDurably(fileOf(digest), text);
    },
    read(digest) {
      try {
        // Four bytes are the longest character.
        if (statSync(fileOf(digest)).size > 4 * HOST_MODEL_LIMIT) return undefined;
        return verified(digest, readFileSync(fileOf(digest), 'utf8'));
      } catch {
        return undefined; // The hub gives it again.
      }
    },
    retain(digests) {
      if (!existsSync(folder)) return;
      for (const name of readdirSync(folder))
        if (!digests.has(name.replace(/\.json$/, ''))) rmSync(join(folder, name), { force: true, recursive: true });
    },
  };
}
