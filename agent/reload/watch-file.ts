import { statSync } from 'node:fs';
import type { Cancel, Clock } from '#sdk';

const LOOK_MS = 2000;
/** A file that is missing at so many looks in a row is not being replaced: it is gone. */
const GONE_LOOKS = 5;

/** What a file looks like from outside; undefined while there is none. */
export function looksOf(path: string | undefined): string | undefined {
  try {
    const stat = path === undefined ? undefined : statSync(path, { bigint: true });
    return stat && `${path}:${stat.ino}:${stat.size}:${stat.mtimeNs}`;
  } catch {
    return undefined; // It is being replaced, or gone.
  }
}

/** A file, and what it looked like when it was read: what was changed or made since is news. */
export interface WatchedFile {
  path(): string | undefined;
  known: string | undefined;
}

/**
 * Calls `changed` when a file has become another one and stays so for one look more: an editor writes in pieces. It is
 * looked at, not watched, since it is often a link into a folder that is swapped as a whole. One that is gone for good is news, too. Returns what ends it.
 */
export function watchFile({ path, known: first }: WatchedFile, clock: Clock, changed: () => void): Cancel {
  let known = first;
  let seen = looksOf(path());
  let missing = 0;
  return clock.every(LOOK_MS, () => {
    const looks = looksOf(path());
    const isStill = looks === seen;
    seen = looks;
    missing = looks === undefined ? missing + 1 : 0;
    if (looks === known || !isStill || (looks === undefined && missing < GONE_LOOKS)) return;
    known = looks;
    changed();
  });
}
