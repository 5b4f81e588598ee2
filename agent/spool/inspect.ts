import { readContents, summaryFor } from './contents.ts';
import { openAcknowledged } from './acknowledged.ts';
import { diskFiles } from './files.ts';
import { listQuarantine, quarantineOf, type QuarantinedBatch } from './quarantine.ts';
import { LANES, type Lane, type SegmentSummary } from './records.ts';
import { listSegments } from './segments.ts';
import { summaryOf, totalOf } from './sums.ts';

/** Batches of one lane in one segment. */
export interface InspectedLane {
  lane: Lane;
  epoch: string;
  batches: number;
  /** Those that the hub is not known to have. */
  waiting: number;
  lines: number;
  /** Of those lines in their files. */
  bytes: number;
  oldestMs: number;
  newestMs: number;
}

/** A file of a spool. */
export interface InspectedSegment {
  number: number;
  bytes: number;
  /** Bytes at its end that cannot be read; while the agent runs, some may be on their way. */
  damagedBytes: number;
  lanes: InspectedLane[];
}

/** What lies in a spool and its quarantine. */
export interface Inspection {
  folder: string;
  bytes: number;
  segments: InspectedSegment[];
  quarantine: QuarantinedBatch[];
}

/** Looks into a spool without changing anything; its agent may be running. */
export function inspectSpool(folder: string): Inspection {
  const acknowledged = openAcknowledged(folder, diskFiles);
  const files = listSegments(folder);
  const lanesOf = ({ epoch, lanes }: Pick<SegmentSummary, 'epoch' | 'lanes'>): InspectedLane[] =>
    LANES.flatMap((lane) => {
      const of = lanes[lane];
      if (of === undefined) return [];
      const [first, last] = [BigInt(of.first), BigInt(of.last)];
      const safe = acknowledged.newest(BigInt(epoch), lane);
      const from = safe < first ? first - 1n : safe > last ? last : safe;
      const { oldestMs, newestMs, sources } = of;
      const batches = { batches: Number(last - first) + 1, waiting: Number(last - from) };
      return [{ lane, epoch, ...batches, ...totalOf(Object.values(sources)), oldestMs, newestMs }];
    });
  const segments = files.map((segment): InspectedSegment => {
    const { number, bytes } = segment;
    const known = summaryFor(segment, files, diskFiles);
    if (known !== undefined)
      return { number, bytes, damagedBytes: Math.max(0, known.bytes - bytes), lanes: lanesOf(known) };
    const { snapshot, tally, good } = readContents(segment, diskFiles);
    const lanes = snapshot === undefined ? [] : lanesOf({ epoch: snapshot.epoch, lanes: summaryOf(tally) });
    return { number, bytes, damagedBytes: bytes - good, lanes };
  });
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  return { folder, bytes, segments, quarantine: listQuarantine(quarantineOf(folder)) };
}
