import { join } from 'node:path';
import { textFile, type ReadText } from '#sdk';
import type { ReadGroupFile } from './usage.ts';

/** A reader of a group's files that works out the path of each only once. */
export function groupReader(folderOf: (controller: string) => string): ReadGroupFile {
  const readers = new Map<string, ReadText>();
  return (controller, file) => {
    const key = `${controller}/${file}`;
    const known = readers.get(key) ?? textFile(join(folderOf(controller), file));
    readers.set(key, known);
    return known();
  };
}
