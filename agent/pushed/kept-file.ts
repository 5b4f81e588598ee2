import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { writeFileDurably } from '#sdk';

/** A file that is larger is none of ours. */
const MOST_BYTES = 1_048_576;

/** Where the agent keeps what the hub gave it. */
export const pushedFolder = (dataFolder: string): string => join(dataFolder, 'pushed');

/** A file of what the hub gave: what is read of it fits its schema. */
export interface KeptFile<Kept> {
  /** What is kept; undefined when nothing is, when it is damaged, or when this user may not read it: the hub gives it again then. */
  read(): Kept | undefined;
  /** Keeps it, so that a crash leaves the old or the new; throws when the disk takes nothing. */
  write(kept: Kept): void;
}

/** Names one below the data folder. */
export function keptFile<Schema extends TSchema>(
  dataFolder: string,
  name: string,
  schema: Schema,
): KeptFile<Static<Schema>> {
  const path = join(pushedFolder(dataFolder), name);
  return {
    read() {
      try {
        if (statSync(path).size > MOST_BYTES) return undefined;
        const kept: unknown = JSON.parse(readFileSync(path, 'utf8'));
        return Value.Check(schema, kept) ? kept : undefined;
      } catch {
        return undefined;
      }
    },
    write(kept) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileDurably(path, `${JSON.stringify(kept, null, 2)}\n`);
    },
  };
}
