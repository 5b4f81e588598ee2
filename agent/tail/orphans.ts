import type { FileCheckpoint } from '../spool/index.ts';
import { identityAt, type OpenFiles } from './open-files.ts';
import type { PackedFiles } from './packed-files.ts';
import type { Places } from './places.ts';
import { findCopies, findRenamed, isSameBirth } from './rotated.ts';

/** Follows what a file has become while no agent ran: renamed, copied, or packed. */
export function takeUpOrphan(
  { files, packed, places }: { files: OpenFiles; packed: PackedFiles; places: Places },
  source: string,
  place: FileCheckpoint,
): void {
  // Its device has got another number: it is followed under that one.
  const named = identityAt(place.path);
  if (named?.source.endsWith(`:${place.inode}`) === true && isSameBirth(place, named.stat))
    return places.replace(source, place);
  const at = findRenamed(place) ?? findCopies(place)[0]?.path;
  const found = at === undefined ? undefined : identityAt(at);
  if (at === undefined || found === undefined)
    return packed.search(place, (there) => {
      if (there === undefined) places.gone(source, place);
      else if (there !== source) places.replace(source, place);
    });
  if (!places.isFollowed(found.source)) files.open({ path: place.path, at, source: found.source, start: place });
  if (found.source !== source) places.replace(source, place);
}
