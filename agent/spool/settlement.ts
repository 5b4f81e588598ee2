import type { Acknowledged } from './acknowledged.ts';
import { linesBetween, missingLines, summaryFor } from './contents.ts';
import type { SpoolFiles } from './files.ts';
import type { SpooledBatch } from './reader.ts';
import { LANES, type BatchKey, type LineCount, type SegmentSummary } from './records.ts';
import type { Segment } from './segments.ts';
import { addTo, type Sums, type Tally } from './sums.ts';

/** Batches that were given out and not acknowledged, of which the lines are remembered; the link has far fewer under way. */
const REMEMBERED = 1000;

/** Says which lines an acknowledgement settles. */
export interface Settlement {
  /** Remembers what a batch holds while it is under way. */
  given(batch: SpooledBatch): void;
  /** Lines of the batches after what was acknowledged of a lane, up to this one. */
  upTo(key: BatchKey): Sums;
}

/** What a settlement looks at. */
export interface SettlementGiven {
  segments: readonly Segment[];
  acknowledged: Acknowledged;
  files: SpoolFiles;
}

/** What a segment is known to hold, unless its damage has been counted: then what can be read of it is all there is. */
function countable(segment: Segment, { segments, acknowledged, files }: SettlementGiven): SegmentSummary | undefined {
  return acknowledged.damaged.has(segment.number) ? undefined : summaryFor(segment, segments, files);
}

/** Batches that can no longer be read. */
export interface Missing {
  /** False: nothing tells what they were. */
  isKnown: boolean;
  batches: number;
  lines: Sums;
  /** When they were put, milliseconds since 1970: not before and not after. */
  fromMs: number;
  toMs: number;
}

/** Batches of a segment that the hub does not have and that cannot be read, behind what was read of it; and their lines. */
export function missingOf(segment: Segment, read: Tally, given: SettlementGiven): Missing {
  const summary = countable(segment, given);
  const isKnown = summary !== undefined;
  const missing: Missing = { isKnown, batches: 0, lines: new Map(), fromMs: Infinity, toMs: 0 };
  for (const lane of LANES) {
    const of = summary?.lanes[lane];
    if (summary === undefined || of === undefined) continue;
    const [first, last] = [BigInt(of.first), BigInt(of.last)];
    const safe = given.acknowledged.newest(segment.epoch, lane);
    const reached = read[lane]?.last ?? first - 1n;
    if (safe >= last || reached >= last) continue;
    missing.batches += Number(last - (reached > safe ? reached : safe));
    missing.fromMs = Math.min(missing.fromMs, read[lane]?.newestMs ?? of.oldestMs);
    missing.toMs = Math.max(missing.toMs, of.newestMs);
    addTo(missing.lines, missingLines(summary, lane, read));
  }
  return missing;
}

/**
 * Makes a settlement. Batches that this process gave out are remembered; others (a hub that knows more than what was
 * written down before a crash) are looked up in their segments.
 */
export function createSettlement(given: SettlementGiven): Settlement {
  const { segments, acknowledged, files } = given;
  const remembered = new Map<string, Map<bigint, Readonly<Record<string, LineCount>>>>();
  const laneOf = ({ epoch, lane }: Omit<BatchKey, 'seq'>) => {
    const name = `${epoch}/${lane}`;
    const batches = remembered.get(name) ?? new Map<bigint, Readonly<Record<string, LineCount>>>();
    remembered.set(name, batches);
    return batches;
  };
  const lookUp = ({ epoch, lane, seq: to }: BatchKey, from: bigint): Sums => {
    const sums: Sums = new Map();
    for (const segment of segments) {
      const range = segment.epoch === epoch ? segment.lanes[lane] : undefined;
      if (range === undefined || range.last <= from || range.first > to) continue;
      addTo(sums, linesBetween(segment, lane, { from, to }, { summary: countable(segment, given), files }));
    }
    return sums;
  };
  return {
    given({ epoch, lane, seq, sources }) {
      const batches = laneOf({ epoch, lane });
      if (batches.size < REMEMBERED) batches.set(seq, sources);
    },
    upTo(key) {
      const batches = laneOf(key);
      const from = acknowledged.newest(key.epoch, key.lane);
      const sums: Sums = new Map();
      let known = 0n;
      for (const [seq, sources] of batches) {
        if (seq > key.seq) continue;
        batches.delete(seq);
        if (seq <= from) continue;
        known += 1n;
        addTo(sums, Object.entries(sources));
      }
      if (batches.size === 0) remembered.delete(`${key.epoch}/${key.lane}`);
      return known === key.seq - from ? sums : lookUp(key, from);
    },
  };
}
