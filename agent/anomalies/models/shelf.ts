import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { writeFileDurably } from '#sdk';
import { readHostModel, type HostModel } from '../../../plugins/models/index.ts';

const Tried = Type.Object({ atMs: Type.Number(), problem: Type.String({ maxLength: 500 }) });

/** What the agent's own model leaves on the disk: the model, the rows it is learnt from, and an attempt that has failed or that the end of the agent cut short. */
export function createShelf(dataFolder: string) {
  const folder = join(dataFolder, 'own-model');
  const fileOf = (name: string): string => join(folder, name);
  const parsed = <T>(name: string, parse: (text: string) => T): T | undefined => {
    try {
      return parse(readFileSync(fileOf(name), 'utf8'));
    } catch {
      return undefined; // None, or damaged: it is learnt anew.
    }
  };
  const write = (name: string, value: unknown): void => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileDurably(fileOf(name), JSON.stringify(value));
  };
  return {
    /** The path of the rows. */
    rows: fileOf('rows'),
    model: (): HostModel | undefined => parsed('model.json', readHostModel),
    keepModel: ({ document }: HostModel): void => write('model.json', document),
    tried: () =>
      parsed('tried.json', (text) => {
        const tried: unknown = JSON.parse(text);
        return Value.Check(Tried, tried) ? tried : undefined;
      }),
    noteTried: (atMs: number, problem: string): void => write('tried.json', { atMs, problem }),
    forgetTried(): void {
      try {
        rmSync(fileOf('tried.json'), { force: true });
      } catch {
        // It only costs a day.
      }
    },
  };
}
export type Shelf = ReturnType<typeof createShelf>;
