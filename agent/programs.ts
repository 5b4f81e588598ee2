import { existsSync } from 'node:fs';
import { isSea } from 'node:sea';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Programs that the agent starts beside itself and that end, each with the word that makes one of the single executable. */
export const PROGRAMS = { inventory: 'inventory-of-this-machine', training: 'training-of-a-model' } as const;

/** How to start one of them: its built file, or its word; undefined when running from source. */
export function programEntry(name: keyof typeof PROGRAMS): string | undefined {
  if (isSea()) return PROGRAMS[name];
  const built = join(dirname(fileURLToPath(import.meta.url)), `${name}.js`);
  return existsSync(built) ? built : undefined;
}
