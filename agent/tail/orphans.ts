import type { FileCheckpoint } from '../spool/index.ts';
import { identityAt, type OpenFiles } from './open-files.ts';
import type { Clock } from '#sdk';
import type { PackedFiles } from './packed-files.ts';
import type { ParkedFiles } from './parked-files.ts';
import type { Places } from './places.ts';
import { findCopies, findRenamed, isBeside, isSameFile } from './rotated.ts';

/** What an orphan's way goes on with. */
export interface OrphansGiven {
  files: OpenFiles;
  parked: ParkedFiles;
  packed: PackedFiles;
  places: Places;
  clock: Clock;
}

/** A place of the last run whose file nobody follows yet. */
export interface Orphan {
  source: string;
  place: FileCheckpoint;
}

/** Those of the places that were known at the start. */
export function orphansOf(before: readonly (readonly [string, FileCheckpoint])[], places: Places): Orphan[] {
  return before.flatMap(([source, place]) => (places.isFollowed(source) ? [] : { source, place }));
}

/** When the oldest file of a path was made of which nothing was read: nobody knows which packed copy is its own. */
export function unreadSince(path: string, orphans: readonly Orphan[]): number {
  const unread = orphans.filter(({ place }) => place.path === path && place.fingerprintLength === 0);
  return Math.min(...unread.map(({ place }) => place.bornMs ?? Infinity));
}

/** Forgets files that were read to their end and are gone. */
export function forgetGone(orphans: readonly Orphan[], places: Places): void {
  for (const { source, place } of orphans) if (place.isDone === true && !isBeside(place)) places.replace(source, place);
}

/** Follows what a file has become while no agent ran: renamed, copied, or packed. */
export function takeUpOrphan({ files, parked, packed, places, clock }: OrphansGiven, { source, place }: Orphan): void {
  // Its device has got another number: it is followed under that one.
  const named = identityAt(place.path);
  if (named !== undefined && isSameFile(place, named.stat)) return places.replace(source, place);
  const at = findRenamed(place) ?? findCopies(place)[0]?.path;
  const found = at === undefined ? undefined : identityAt(at);
  if (at === undefined || found === undefined)
    return packed.search(place, (there) => {
      if (there === undefined) places.gone(source, place);
      else if (there !== source) places.replace(source, place);
    });
  if (!places.isFollowed(found.source)) {
    const { dev: device, ino: inode, birthtimeMs: bornMs, size, mtimeMs } = found.stat;
    const own = { ...place, device, inode, bornMs };
    const entry = files.open({ path: place.path, at, source: found.source, start: place });
    // It waits until there is a handle for it.
    if (entry === undefined) parked.add(found.source, own, { size, mtimeMs, isUnread: true, sinceMs: clock.now() });
    places.keep(own);
  }
  if (found.source !== source) places.replace(source, place);
}
