import type { Readable } from 'node:stream';
import { defineProblems } from '#sdk';

/** What every store of blobs may answer with. */
export const blobProblems = defineProblems('blobs', {
  badKey: { status: 400, title: 'A blob cannot have this key.' },
  badRange: { status: 416, title: 'The blob has no such range.' },
  unavailable: { status: 503, title: 'The store of blobs does not answer.', retryable: true },
  refused: { status: 503, title: 'The store of blobs refuses the hub.', retryable: true },
  full: { status: 507, title: 'The store of blobs is full or cannot be written to.', retryable: true },
  badAddress: { status: 500, title: 'The address of the store of blobs cannot be used.' },
});

/** What is known of a blob without reading it. */
export interface BlobFacts {
  key: string;
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970. */
  changedMs: number;
}

/** Bytes of a blob, both ends included; without `to`, until its end. */
export interface ByteRange {
  from: number;
  to?: number;
}

/** A part of a listing. */
export interface BlobPage {
  /** By key, in the order of their bytes. */
  blobs: BlobFacts[];
  /** Hand it in for the next page; absent after the last. */
  next?: string;
}

/**
 * Large values by org and key. A key is one to 20 words between slashes, of letters, digits, `.`, `_` and `-`, no word begins with a dot;
 * at most 512 characters. Other keys and orgs are refused with `blobs.bad-key`. A blob is there whole or not at all.
 */
export interface Blobs {
  /** Keeps what the stream gives, of unknown length, in place of what was there, and gives its size. When the stream fails or the signal aborts nothing changes, and it rejects. */
  put(org: string, key: string, bytes: Readable, signal?: AbortSignal): Promise<number>;
  /** A stream of a blob or a range of it; undefined when there is none. The caller reads or destroys it. */
  get(org: string, key: string, range?: ByteRange): Promise<Readable | undefined>;
  head(org: string, key: string): Promise<BlobFacts | undefined>;
  /** Blobs whose key begins with `prefix`, at most `limit` (1 to 1,000) a page. */
  list(org: string, prefix: string, page?: { after?: string; limit?: number }): Promise<BlobPage>;
  /** Nothing happens when there is none. */
  delete(org: string, key: string): Promise<void>;
  /** An address by which anybody reads the blob for so many seconds; undefined where the store has none: then serve it by a route of your own. */
  link(org: string, key: string, seconds: number): Promise<string | undefined>;
}

const WORD = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const MOST_WORDS = 20;
const MOST_CHARACTERS = 512;

/** Throws unless org and key can be used; gives them as one path. */
export function blobPath(org: string, key: string): string {
  const words = key.split('/');
  const fits = WORD.test(org) && words.every((word) => WORD.test(word) && word.length <= 200);
  if (fits && words.length <= MOST_WORDS && key.length <= MOST_CHARACTERS) return `${org}/${key}`;
  throw blobProblems.badKey(
    `"${key.slice(0, 80)}" is no key: use up to ${MOST_WORDS} words of letters, digits, ".", "_" and "-", with "/" between them.`,
  );
}

/** Throws unless org and the beginning of a key can be used. */
export function demandPrefix(org: string, prefix: string): void {
  const rest = prefix.replace(/\/$/, '');
  if (rest === '') blobPath(org, 'x');
  else blobPath(org, rest);
}

/** Throws unless a range lies within a blob of so many bytes. Gives its last byte. */
export function lastByteOf({ from, to }: ByteRange, size: number): number {
  const last = Math.min(to ?? size - 1, size - 1);
  if (Number.isSafeInteger(from) && from >= 0 && from <= last) return last;
  throw blobProblems.badRange(`Bytes ${from} to ${to ?? 'the end'} were asked for, and the blob has ${size}.`);
}
