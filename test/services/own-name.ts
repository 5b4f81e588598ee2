import { randomBytes } from 'node:crypto';

/** A name that no other test file uses, for a database, bucket, index or stream, or as a prefix: lower-case letters, digits and underscores, at most 30. */
export function ownName(what = 'test'): string {
  return `${what
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 17)}_${randomBytes(6).toString('hex')}`;
}
