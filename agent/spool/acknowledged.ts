import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How far the hub has everything, by epoch. */
export type Acknowledged = Map<bigint, bigint>;

const fileOf = (folder: string): string => join(folder, 'acknowledged.json');

/** Reads what was kept; nothing when there is none or it is damaged: the hub says it again with its welcome. */
export function readAcknowledged(folder: string): Acknowledged {
  try {
    const kept = JSON.parse(readFileSync(fileOf(folder), 'utf8')) as Record<string, string>;
    return new Map(Object.entries(kept).map(([epoch, seq]) => [BigInt(epoch), BigInt(seq)]));
  } catch {
    return new Map(); // The first start, or a file that a crash left half written.
  }
}

/** Keeps it, without waiting for the disk. */
export function keepAcknowledged(folder: string, acknowledged: Acknowledged): void {
  const text = JSON.stringify(
    Object.fromEntries([...acknowledged].map(([epoch, seq]) => [String(epoch), String(seq)])),
  );
  try {
    writeFileSync(`${fileOf(folder)}.new`, text, { mode: 0o600 });
    renameSync(`${fileOf(folder)}.new`, fileOf(folder));
  } catch {
    // A full disk: the hub says it again with its welcome.
  }
}
