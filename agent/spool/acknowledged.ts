import { join } from 'node:path';
import type { SpoolFiles } from './files.ts';
import { LANES, type BatchKey, type Lane } from './records.ts';

/** How far the hub has everything, by epoch and lane. */
export interface Acknowledged {
  /** Newest seq that is safe at the hub; 0 when none is. */
  newest(epoch: bigint, lane: Lane): bigint;
  covers(key: BatchKey): boolean;
  raise(key: BatchKey): void;
  /** Numbers of segments whose damage has been counted. */
  readonly damaged: Set<number>;
  /** Writes it down now and then, without waiting for the disk; what nothing is left of is forgotten. */
  keep(alive: { epochs: ReadonlySet<bigint>; segments: ReadonlySet<number> }, now?: boolean): void;
}

/**
 * How often it is written down. After a crash the hub says the newest with its welcome, so a shorter time saves nothing;
 * at each second it was a twentieth of what an idle agent costs.
 */
const KEEP_MS = 10_000;

interface Kept {
  lanes: Record<string, Partial<Record<Lane, string>>>;
  damaged: number[];
}

function read(file: string, files: SpoolFiles): { newest: Map<string, bigint>; damaged: Set<number> } {
  try {
    const { lanes, damaged } = JSON.parse(files.readText(file)) as Kept;
    const newest = Object.entries(lanes).flatMap(([epoch, seqs]) =>
      LANES.map((lane) => [`${epoch}/${lane}`, BigInt(seqs[lane] ?? 0)] as const),
    );
    return { newest: new Map(newest), damaged: new Set(damaged) };
  } catch {
    // The first start, or a file that a crash left half written: the hub says it again with its welcome.
    return { newest: new Map(), damaged: new Set() };
  }
}

/** Opens what a spool's folder keeps of acknowledgements. */
export function openAcknowledged(folder: string, files: SpoolFiles): Acknowledged {
  const file = join(folder, 'acknowledged.json');
  const { newest, damaged } = read(file, files);
  let kept = -Infinity;
  const newestOf = (epoch: bigint, lane: Lane): bigint => newest.get(`${epoch}/${lane}`) ?? 0n;
  return {
    newest: newestOf,
    covers: ({ epoch, lane, seq }) => seq <= newestOf(epoch, lane),
    raise({ epoch, lane, seq }) {
      if (seq > newestOf(epoch, lane)) newest.set(`${epoch}/${lane}`, seq);
    },
    damaged,
    keep({ epochs, segments }, now = false) {
      if (!now && performance.now() - kept < KEEP_MS) return;
      kept = performance.now();
      for (const key of newest.keys()) if (!epochs.has(BigInt(key.slice(0, key.indexOf('/'))))) newest.delete(key);
      for (const number of damaged) if (!segments.has(number)) damaged.delete(number);
      const lanes = [...epochs].map((epoch) => {
        const seqs = LANES.map((lane) => [lane, String(newestOf(epoch, lane))] as const);
        return [String(epoch), Object.fromEntries(seqs)] as const;
      });
      const text = JSON.stringify({ lanes: Object.fromEntries(lanes), damaged: [...damaged] } satisfies Kept);
      try {
        files.replaceText(file, text);
      } catch {
        // A full disk: the hub says it again with its welcome.
      }
    },
  };
}
