import type { Database } from './database.ts';
import type { SealedFile } from './sealed-files.ts';

/** An order on its way: run its statements in a transaction, then say that they are committed. */
export interface ForgettingOrder {
  statements: string[];
  committed(): void;
}

/** Owners whose rows must leave the sealed files. Each file notes the newest order that it is clean of. */
export interface Forgetting {
  /** The number of the newest order; 0 when all are done. */
  newest(): number;
  add(owners: readonly number[]): ForgettingOrder;
  /** Owners of the orders that a file is not clean of yet. */
  since(clean: number): number[];
  /** Every file is clean. */
  done(): Promise<void>;
}

/** Loads the orders that are not done yet. */
export async function openForgetting(database: Database, files: readonly SealedFile[]): Promise<Forgetting> {
  await database.run('CREATE TABLE IF NOT EXISTS forgotten (owner INTEGER, asked INTEGER)');
  let orders = (await database.read('SELECT owner, asked FROM forgotten')).map(([owner, asked]) => ({
    owner: Number(owner),
    asked: Number(asked),
  }));
  const newest = (): number => orders.reduce((most, { asked }) => Math.max(most, asked), 0);
  // Numbers rise above all that a file has noted.
  let last = files.reduce((most, { clean }) => Math.max(most, clean), newest());
  return {
    newest,
    add(owners) {
      if (owners.length === 0) return { statements: [], committed: () => undefined };
      const asked = (last += 1);
      return {
        statements: [`INSERT INTO forgotten VALUES ${owners.map((owner) => `(${owner}, ${asked})`).join(', ')}`],
        committed: () => void (orders = [...orders, ...owners.map((owner) => ({ owner, asked }))]),
      };
    },
    since: (clean) => orders.filter(({ asked }) => asked > clean).map(({ owner }) => owner),
    async done() {
      if (orders.length === 0) return;
      await database.run('DELETE FROM forgotten');
      orders = [];
    },
  };
}
