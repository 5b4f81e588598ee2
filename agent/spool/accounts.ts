import type { Logger } from '#sdk';
import type { Acknowledged } from './acknowledged.ts';
import type { SpoolLedger } from './ledger.ts';
import { createLosses, type Losses, type SpoolLoss } from './losses.ts';
import type { ReaderGiven, SpooledBatch } from './reader.ts';
import type { BatchKey } from './records.ts';
import { rangesOf } from './recover.ts';
import { createSettlement, missingOf, type SettlementGiven } from './settlement.ts';
import { totalOf } from './sums.ts';

/** What becomes of the batches that a spool holds. */
export interface Accounts {
  /** Counts everything of a lane up to this batch as acknowledged. */
  acknowledge(key: BatchKey): void;
  /** Counts a batch that the hub does not have as refused. */
  giveUp(batch: SpooledBatch): void;
  /** Counts what is lost of a segment; once, however many readers come by. */
  damaged: ReaderGiven['damaged'];
  /** Hears of each batch that is given out. */
  given(batch: SpooledBatch): void;
  /** Batches that were lost. */
  lostBatches(): number;
  /** Adds a loss of which nobody knows the lines. */
  addLostBytes: Losses['addBytes'];
  takeLosses(): SpoolLoss[];
}

/** What accounts are kept with. */
export interface AccountsGiven extends SettlementGiven {
  acknowledged: Acknowledged;
  ledger: SpoolLedger;
  log: Logger;
  /** Called when segments may have become free. */
  changed(): void;
}

/** Opens the accounts of a spool. */
export function createAccounts(given: AccountsGiven): Accounts {
  const { acknowledged, ledger, log, changed } = given;
  const settlement = createSettlement(given);
  const losses = createLosses();
  let lostBatches = 0;
  const acknowledge = (key: BatchKey): void => {
    if (acknowledged.covers(key)) return;
    ledger.add('acknowledged', settlement.upTo(key));
    acknowledged.raise(key);
    changed();
  };
  return {
    acknowledge,
    giveUp(batch) {
      const { epoch, lane, seq, timeMs, sources } = batch;
      acknowledge({ epoch, lane, seq: seq - 1n });
      const lines = Object.entries(sources);
      lostBatches += 1;
      ledger.add('lost', lines);
      losses.add({ cause: 'refused', fromMs: timeMs, toMs: timeMs }, lines);
      acknowledged.raise({ epoch, lane, seq });
      changed();
    },
    damaged(segment, read, offset) {
      const { number, epoch, bytes } = segment;
      if (acknowledged.damaged.has(number)) return;
      const { isKnown, batches, lines, fromMs, toMs } = missingOf(segment, read, given);
      acknowledged.damaged.add(number);
      segment.lanes = rangesOf(read); // What cannot be read is never sent, so nobody acknowledges it.
      lostBatches += batches;
      ledger.add('lost', lines);
      losses.add({ cause: 'spool-damaged', fromMs, toMs }, lines);
      if (!isKnown) losses.addBytes(bytes - offset, 0);
      const facts = { segment: number, epoch: String(epoch), bytes: bytes - offset, batches };
      const message = 'a segment of the spool is damaged; the rest of it is lost';
      log.error(message, { ...facts, lines: totalOf(lines.values()).lines });
      changed();
    },
    given: settlement.given,
    lostBatches: () => lostBatches,
    addLostBytes: losses.addBytes,
    takeLosses: losses.take,
  };
}
