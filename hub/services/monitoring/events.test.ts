import { BATCH_SUBJECTS } from '#proto/subjects.ts';
import { silentLogger, type Logger } from '#sdk';
import { expect, test } from 'vitest';
import type { Bus } from '../../ports/bus.ts';
import type { SeriesStore } from '../../ports/series.ts';
import { mendLosses } from './events.ts';

/** A store that is in doubt when it is told to, a bus that keeps messages or not, and what came of it. */
function inDoubt(keeps: boolean) {
  const said: string[] = [];
  let mend: ((sinceMs: number) => Promise<void>) | undefined;
  const note = (text: string): void => void said.push(text);
  const log: Logger = { ...silentLogger, warn: note, error: note };
  const series = { doubts: (own) => ((mend = own), () => (mend = undefined)) } as Partial<SeriesStore> as SeriesStore;
  const replay: Bus['replay'] = ({ name }, subscriber, sinceMs) => {
    note(`${subscriber} gets ${name} since ${sinceMs}`);
    return Promise.resolve();
  };
  const bus = { replay, ...(keeps ? { upkeep: {} } : {}) } as Partial<Bus> as Bus;
  const end = mendLosses({ bus, series, log });
  return { said, end, doubt: (sinceMs: number) => mend?.(sinceMs) };
}

test('what a store may have lost is asked of a bus that keeps messages', async () => {
  const { said, doubt, end } = inDoubt(true);
  expect(said).toEqual([]);
  await doubt(5_000);
  expect(said).toEqual([
    ...BATCH_SUBJECTS.map(({ name }) => `monitoring gets ${name} since 5000`),
    expect.stringContaining('written again'),
  ]);
  end();
  expect(doubt(5_000)).toBeUndefined();
});

test('a bus that keeps nothing is told of at the start, and again when something may be lost', async () => {
  const { said, doubt } = inDoubt(false);
  expect(said).toEqual([expect.stringContaining('bus.adapter: nats')]);
  await doubt(5_000);
  expect(said.slice(1)).toEqual([expect.stringContaining('may have lost')]);
});
