import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LedgerSchema } from '#proto/agent/v1/index.ts';
import type { Amount, Spool } from '../spool/index.ts';
import { addAmount, type Ledger } from './ledger.ts';

/** What can become of a line: read = dropped + waiting + acknowledged + lost. */
export const LINE_STATES = ['read', 'dropped', 'waiting', 'acknowledged', 'lost'] as const;
export type Delivery = Record<(typeof LINE_STATES)[number], Amount>;

/** What deliveries are reckoned from. */
export interface DeliveryGiven {
  ledger(): Readonly<Ledger>;
  /** Events that are in no spool yet, by source. */
  gathered(): ReadonlyMap<string, Amount>;
  spool: Pick<Spool, 'ledger'>;
}

const sumOf = (...amounts: (Amount | undefined)[]): Amount => {
  const sum = { lines: 0, bytes: 0 };
  for (const amount of amounts) if (amount !== undefined) addAmount(sum, amount);
  return sum;
};

/**
 * What became of the lines of each source since the start. What an earlier run left in the spool, and what was lost unread, counts as
 * read. Each state is counted where it happens, so that a line that gets lost between two of them is seen.
 */
export function deliveries({ ledger, gathered, spool }: DeliveryGiven): Map<string, Delivery> {
  const [counts, waiting, spooled] = [ledger().sources, gathered(), spool.ledger()];
  const names = new Set([...counts.keys(), ...spooled.keys()]);
  const all = new Map<string, Delivery>();
  for (const name of names) {
    const [before, after] = [counts.get(name), spooled.get(name)];
    const read = sumOf(before?.read, before?.lost, after?.carried);
    if (read.lines === 0 && read.bytes === 0) continue;
    all.set(name, {
      read,
      dropped: sumOf(before?.dropped),
      waiting: sumOf(waiting.get(name), after?.waiting),
      acknowledged: sumOf(after?.acknowledged),
      lost: sumOf(before?.lost, after?.lost),
    });
  }
  return all;
}

/** True when nothing is missing. */
export function balances({ read, dropped, waiting, acknowledged, lost }: Delivery): boolean {
  return (['lines', 'bytes'] as const).every(
    (unit) => read[unit] === dropped[unit] + waiting[unit] + acknowledged[unit] + lost[unit],
  );
}

type Report = MessageInitShape<typeof LedgerSchema>;

const messageOf = ({ lines, bytes }: Amount): { lines: bigint; bytes: bigint } => ({
  lines: BigInt(lines),
  bytes: BigInt(bytes),
});

/** Tells the hub of the sources that have changed since it was told last. */
export function createDeliveryReports(given: DeliveryGiven, sinceMs: number): (atMs: number) => Report | undefined {
  const told = new Map<string, string>();
  return (atMs) => {
    const sources: NonNullable<Report['sources']> = [];
    for (const [source, delivery] of deliveries(given)) {
      const text = JSON.stringify(delivery);
      if (told.get(source) === text) continue;
      told.set(source, text);
      const states = LINE_STATES.map((state) => [state, messageOf(delivery[state])]);
      sources.push({ source, ...Object.fromEntries(states) });
    }
    return sources.length === 0 ? undefined : { sinceMs: BigInt(sinceMs), atMs: BigInt(atMs), sources };
  };
}
