import type { Clock } from '#sdk';
import type { Found, OpenFiles } from './open-files.ts';
import type { PackedFiles } from './packed-files.ts';
import { isPacked } from './packed.ts';
import type { ParkedFiles } from './parked-files.ts';
import type { Places } from './places.ts';
import { bornMs, findGenerations, isCopy, isCopyOf, isRotatedName, sourceAt, type Sibling } from './rotated.ts';

/** A file that stays empty for so long is no copy that is being made. */
const BEGINNING_MS = 60_000;

/** What generations stand on. */
export interface GenerationsGiven {
  files: OpenFiles;
  parked: ParkedFiles;
  packed: PackedFiles;
  places: Places;
  clock: Clock;
}

/** Finds files that a path led to between two looks: nobody has read them, and no name of theirs is followed. */
export interface Generations {
  /** Takes up those that were made since then; true when there were any. */
  takeUp(path: string, sinceMs: number): boolean;
  /** Looks for those of a path again at the next scan. */
  expect(path: string, sinceMs: number): void;
  /** Looks again for those that were expected. */
  look(): void;
  /** True for a copy of a followed file, which may be under way: what it holds is read there, or once that is truncated. */
  isCopyOfFollowed(at: string, stat: Found['stat']): boolean;
}

/** Makes a finder of generations. */
export function createGenerations({ files, parked, packed, places, clock }: GenerationsGiven): Generations {
  const expected = new Map<string, number>();

  /** True for an empty file that may become a copy of a followed one. */
  const isBeginning = (stat: Found['stat']): boolean => stat.size === 0 && clock.now() - bornMs(stat) < BEGINNING_MS;
  const isWholeCopy = (at: string): boolean => {
    const isOfOpen = files.all().some(({ file }) => {
      if (!isRotatedName(file.path, at)) return false;
      const isUnderWay = file.isCopiedAt((handle, offset) => offset > 0 && isCopy(at, handle, offset));
      return isUnderWay || isCopyOf(at, file.checkpoint());
    });
    return isOfOpen || [...parked.places()].some((place) => isRotatedName(place.path, at) && isCopyOf(at, place));
  };
  const expect = (path: string, sinceMs: number): void =>
    void expected.set(path, Math.min(sinceMs, expected.get(path) ?? sinceMs));
  const takeUpPacked = (path: string, sibling: Sibling): void => {
    const isRelated = (other: string): boolean =>
      other === path || isRotatedName(path, other) || isRotatedName(other, path);
    const known = () => {
      const all = [...places.known.ever(), ...files.all().map(({ file }) => file.checkpoint())];
      // Each path is looked at once, however many files it has led to.
      const related = new Set([...new Set(all.map((place) => place.path))].filter(isRelated));
      return all.filter((place) => related.has(place.path));
    };
    packed.takeUp(path, sibling, known, (head) => files.all().some(({ file }) => file.beginsWith(head)));
  };
  const takeUpOne = (path: string, sibling: Sibling, sinceMs: number): boolean => {
    const { path: at, stat } = sibling;
    const source = sourceAt(stat);
    if (places.isFollowed(source) || places.of({ source, stat }) !== undefined || isWholeCopy(at)) return false;
    if (isBeginning(stat)) {
      expect(path, sinceMs);
      return false;
    }
    if (isPacked(at)) {
      takeUpPacked(path, sibling);
      return true;
    }
    const entry = files.open({ path, at, source, start: 'beginning' });
    if (entry !== undefined) places.keep(entry.place);
    else if (files.isFull()) expect(path, sinceMs);
    return entry !== undefined;
  };
  const takeUp = (path: string, sinceMs: number): boolean =>
    findGenerations(path, sinceMs).filter((sibling) => takeUpOne(path, sibling, sinceMs)).length > 0;
  return {
    takeUp,
    expect,
    look() {
      const again = [...expected];
      expected.clear();
      for (const [path, sinceMs] of again) takeUp(path, sinceMs);
    },
    isCopyOfFollowed: (at, stat) =>
      isWholeCopy(at) || (isBeginning(stat) && files.all().some(({ file }) => isRotatedName(file.path, at))),
  };
}
