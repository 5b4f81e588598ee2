import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How far the hub has everything, by epoch. */
export interface Acknowledged {
  covers(epoch: bigint, seq: bigint): boolean;
  raise(epoch: bigint, seq: bigint): void;
  /** Counts lines of the spool from its very beginning: those that were acknowledged, damaged ones among them. */
  lines: number;
  /** Writes it down at most once a second, without waiting for the disk; epochs that nothing is left of are forgotten. */
  keep(alive: ReadonlySet<bigint>, now?: boolean): void;
}

const LINES = 'lines';
const KEEP_MS = 1000;

function read(file: string): { epochs: Map<bigint, bigint>; lines: number } {
  try {
    const { [LINES]: lines = 0, ...kept } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    const epochs = Object.entries(kept).map(([epoch, seq]) => [BigInt(epoch), BigInt(seq)] as const);
    return { epochs: new Map(epochs), lines: Number(lines) };
  } catch {
    // The first start, or a file that a crash left half written: the hub says it again with its welcome.
    return { epochs: new Map(), lines: 0 };
  }
}

/** Opens what a spool's folder keeps of acknowledgements. */
export function openAcknowledged(folder: string): Acknowledged {
  const file = join(folder, 'acknowledged.json');
  const { epochs, lines } = read(file);
  let kept = 0;
  const acknowledged: Acknowledged = {
    lines,
    covers: (epoch, seq) => seq <= (epochs.get(epoch) ?? 0n),
    raise(epoch, seq) {
      if (seq > (epochs.get(epoch) ?? 0n)) epochs.set(epoch, seq);
    },
    keep(alive, now = false) {
      if (!now && performance.now() - kept < KEEP_MS) return;
      kept = performance.now();
      for (const epoch of epochs.keys()) if (!alive.has(epoch)) epochs.delete(epoch);
      const texts = [...epochs].map(([epoch, seq]) => [String(epoch), String(seq)] as const);
      const text = JSON.stringify({ ...Object.fromEntries(texts), [LINES]: String(acknowledged.lines) });
      try {
        writeFileSync(`${file}.new`, text, { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch {
        // A full disk: the hub says it again with its welcome.
      }
    },
  };
  return acknowledged;
}
