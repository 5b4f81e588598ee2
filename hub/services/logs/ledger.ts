import type { Logs } from '#proto/agent/v1/index.ts';

/** Lines, and their bytes in their file. */
export interface Amount {
  lines: number;
  bytes: number;
}

/** Lines of one source that nobody will ever read. Times are milliseconds since 1970 by the hub's clock. */
export interface Loss extends Amount {
  source: string;
  fromMs: number;
  toMs: number;
  cause: string;
}

/** What can become of a line. */
export const STATES = ['read', 'dropped', 'waiting', 'acknowledged', 'lost'] as const;
export type Amounts = Record<(typeof STATES)[number], Amount>;

/** What became of the lines of some sources since their agent started. */
export interface LedgerReport {
  sinceMs: number;
  atMs: number;
  sources: { source: string; amounts: Amounts }[];
}

/** A batch tells no more; an agent has no reason to. */
const MOST_LOSSES = 1000;
const MOST_SOURCES = 2000;
const SOURCE_LENGTH = 1024;
const LAST_MS = 8.64e15;
const NOTHING = { lines: 0n, bytes: 0n };

const counted = ({ lines, bytes }: { lines: bigint; bytes: bigint }): Amount => ({
  lines: Math.min(Number(lines), Number.MAX_SAFE_INTEGER),
  bytes: Math.min(Number(bytes), Number.MAX_SAFE_INTEGER),
});
const timeOf = (timeMs: bigint, skewMs: number): number =>
  Math.round(Math.max(0, Math.min(LAST_MS, Number(timeMs) - skewMs)));
/** PostgreSQL's texts hold no NUL. */
const textOf = (text: string, length: number): string => text.replaceAll('\0', '').slice(0, length);

/** The losses of a batch, bounded, by the hub's clock. */
export function lossesOf({ losses }: Logs, skewMs: number): Loss[] {
  return losses.slice(0, MOST_LOSSES).map(({ source, lines, bytes, fromMs, toMs, cause }) => ({
    source: textOf(source, SOURCE_LENGTH),
    ...counted({ lines, bytes }),
    fromMs: Math.min(timeOf(fromMs, skewMs), timeOf(toMs, skewMs)),
    toMs: timeOf(toMs, skewMs),
    cause: textOf(cause, 40),
  }));
}

/** The ledger that a batch carries, bounded, by the hub's clock; undefined when it carries none. */
export function ledgerOf({ ledger }: Logs, skewMs: number): LedgerReport | undefined {
  if (ledger === undefined) return undefined;
  // The last of a source counts: a row is written once.
  const sources = new Map(
    ledger.sources.slice(0, MOST_SOURCES).map(({ source, ...states }) => {
      const amounts = Object.fromEntries(STATES.map((state) => [state, counted(states[state] ?? NOTHING)]));
      return [textOf(source, SOURCE_LENGTH), amounts as Amounts];
    }),
  );
  return {
    sinceMs: timeOf(ledger.sinceMs, skewMs),
    atMs: timeOf(ledger.atMs, skewMs),
    sources: [...sources].map(([source, amounts]) => ({ source, amounts })),
  };
}

/** True when nothing is missing: every line and byte is in one of the states. */
export function balances({ read, dropped, waiting, acknowledged, lost }: Amounts): boolean {
  const left = (unit: keyof Amount): number =>
    read[unit] - dropped[unit] - waiting[unit] - acknowledged[unit] - lost[unit];
  return left('lines') === 0 && left('bytes') === 0;
}
