import type { Database } from './database.ts';

/** The newest time of each series or source, by number. */
export interface LastSeen {
  of(number: number): number;
  see(number: number, timeMs: number): void;
  /** Statement that keeps the times of rows that are about to leave a hot table; run it in the transaction that takes them away. */
  keeping(rows: string): string;
}

/** Loads the times. `hot` selects (number, t) of the rows that have not left yet; they tell theirs themselves. */
export async function openLastSeen(database: Database, hot: string): Promise<LastSeen> {
  await database.run('CREATE TABLE IF NOT EXISTS last_seen (number INTEGER, t BIGINT)');
  const newest = (rows: string): string => `SELECT number, max(t) AS t FROM (${rows}) GROUP BY number`;
  const kept = 'SELECT number, t FROM last_seen';
  const loaded = await database.read(newest(`${kept} UNION ALL ${hot}`).replace('max(t)', 'max(t)::DOUBLE'));
  let times = new Float64Array(1024);
  const see = (number: number, timeMs: number): void => {
    if (number >= times.length) {
      const grown = new Float64Array(2 * number);
      grown.set(times);
      times = grown;
    }
    if ((times[number] as number) < timeMs) times[number] = timeMs;
  };
  for (const [number, t] of loaded) see(Number(number), Number(t));
  return {
    of: (number) => times[number] ?? 0,
    see,
    keeping: (rows) => `CREATE OR REPLACE TABLE last_seen AS ${newest(`${kept} UNION ALL ${rows}`)}`,
  };
}
