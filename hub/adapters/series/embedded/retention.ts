import type { SeriesRetention } from '../../../ports/series.ts';
import type { SealedFile } from '../../duckdb/sealed-files.ts';
import { TIERS, type Tier } from './tiers.ts';

const DAY_MS = 86_400_000;

/** When the oldest sample that a tier keeps may have been taken. */
export function oldestKept(tier: Tier, retention: SeriesRetention, nowMs: number): number {
  return nowMs - tier.days(retention) * DAY_MS;
}

/** Sealed files to delete, and why. */
export interface Leaving {
  /** Past their tier's age. */
  old: SealedFile[];
  /** Over the disk limit: the oldest of the finest tier first. */
  over: SealedFile[];
}

/** Chooses the sealed files to delete. `otherBytes` lie on the disk beside them. */
export function filesLeaving(
  files: readonly SealedFile[],
  retention: SeriesRetention,
  given: { nowMs: number; otherBytes: number },
): Leaving {
  const rank = new Map(
    TIERS.map((tier, index) => [tier.name, { index, oldest: oldestKept(tier, retention, given.nowMs) }]),
  );
  const of = ({ table }: SealedFile): { index: number; oldest: number } => rank.get(table) ?? { index: 0, oldest: 0 };
  // A sample from the future of a wrong clock must not keep its file for ever.
  const old = files.filter((file) => Math.min(file.toMs, file.sealedMs) < of(file).oldest);
  const rest = files
    .filter((file) => !old.includes(file))
    .sort((a, b) => of(a).index - of(b).index || a.fromMs - b.fromMs);
  let bytes = rest.reduce((sum, file) => sum + file.bytes, given.otherBytes);
  const over: SealedFile[] = [];
  for (const file of rest) {
    if (bytes <= retention.diskLimit) break;
    over.push(file);
    bytes -= file.bytes;
  }
  return { old, over };
}
