import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, type Logger } from '#sdk';

/** Bytes that batches which no hub takes may keep on the disk; beyond it the oldest go. */
const LIMIT_BYTES = 16_000_000;
/** A batch is given up when it was the oldest unacknowledged one so often while the hub refused what it could not read. */
const TRIES = 3;
/** Refusals that are about a batch, not about the agent. */
const ABOUT_A_BATCH = new Set(['ingest.bad-frame', 'ingest.too-large']);

/** A batch, by its key. */
export interface BatchName {
  epoch: bigint;
  seq: bigint;
}

/** Puts batches aside that no hub will ever take, so that they do not hold up what follows. */
export interface RefusedBatches {
  /** Hears of a refusal while this batch was the oldest one under way; true when it is to be given up. */
  isHopeless(batch: BatchName, code: string): boolean;
  /** Keeps its bytes for a person to look at, within a limit. */
  keep(batch: BatchName, bytes: Uint8Array, reason: string): void;
}

/** Prepares the folder's name only; it is made when something is refused. */
export function createRefusedBatches(folder: string, log: Logger): RefusedBatches {
  let suspect: (BatchName & { tries: number }) | undefined;
  const makeRoom = (more: number): void => {
    const files = readdirSync(folder)
      .map((name) => ({ path: join(folder, name), stat: statSync(join(folder, name)) }))
      .sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs);
    let bytes = more + files.reduce((sum, { stat }) => sum + stat.size, 0);
    for (const { path, stat } of files) {
      if (bytes <= LIMIT_BYTES) return;
      rmSync(path);
      bytes -= stat.size;
    }
  };
  return {
    isHopeless({ epoch, seq }, code) {
      if (!ABOUT_A_BATCH.has(code)) return false;
      const isSame = suspect?.epoch === epoch && suspect.seq === seq;
      suspect = { epoch, seq, tries: isSame ? (suspect?.tries ?? 0) + 1 : 1 };
      return suspect.tries >= TRIES;
    },
    keep({ epoch, seq }, bytes, reason) {
      const file = join(folder, `${epoch}-${seq}.batch`);
      log.error('the hub does not take a batch; it is put aside and what follows goes on', { file, reason });
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        makeRoom(bytes.length);
        writeFileSync(file, bytes, { mode: 0o600 });
      } catch (error) {
        log.error('a batch could not be put aside and is lost', { file, reason: reasonOf(error) });
      }
    },
  };
}
