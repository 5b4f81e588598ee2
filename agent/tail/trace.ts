import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { FileCheckpoint } from '../spool/index.ts';

/** A file is known by its first bytes too: an inode alone is used again. */
export const HEAD_BYTES = 1024;
/** And by the last ones that were read: files of one program may begin alike. */
export const TAIL_BYTES = 256;

/** What a text is recognised by, wherever it lies. */
export type Trait = Pick<FileCheckpoint, 'fingerprint' | 'fingerprintLength' | 'tail' | 'offset'>;

const digestOf = (head: Uint8Array): string => createHash('sha256').update(head).digest('hex').slice(0, 32);

/** Reads bytes of an open file; fewer where it ends before. */
export function bytesAt(file: number, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, length === 0 ? 0 : readSync(file, bytes, 0, length, from));
}

/** True when a head of a text is what a trait says. */
export function beginsAs(head: Buffer, { fingerprint, fingerprintLength }: Trait): boolean {
  if (fingerprintLength === 0) return true;
  return head.length >= fingerprintLength && digestOf(head.subarray(0, fingerprintLength)) === fingerprint;
}

/** True when the bytes before the place where reading ended are what a trait says. */
export function endsAs(tail: Uint8Array, trait: Trait): boolean {
  return trait.tail === undefined || crc32(tail) === trait.tail;
}

/** Where the last bytes before an offset begin. */
export const tailFrom = (offset: number): number => Math.max(0, offset - TAIL_BYTES);

/** True when an open file holds the text that a trait was taken of. */
export function holds(file: number, trait: Trait): boolean {
  const { offset, fingerprintLength } = trait;
  const from = tailFrom(offset);
  const tail = bytesAt(file, from, offset - from);
  return tail.length === offset - from && endsAs(tail, trait) && beginsAs(bytesAt(file, 0, fingerprintLength), trait);
}

/** What a file begins with, of which nothing was read yet. */
export function beginningOf(file: number): Pick<Trait, 'fingerprint' | 'fingerprintLength'> {
  const head = bytesAt(file, 0, HEAD_BYTES);
  return head.length === 0
    ? { fingerprint: '', fingerprintLength: 0 }
    : { fingerprint: digestOf(head), fingerprintLength: head.length };
}

/** Remembers what a file was read as: its first bytes and the last ones, taken from what was read and not from the disk again. */
export interface Trace {
  trait(): Trait;
  /** Takes what lies before an offset from a file, unread. */
  learn(file: number, offset: number): void;
  /** Takes bytes that were read up to an offset. */
  add(bytes: Buffer, offset: number): void;
  /** True while a file has them where they were. */
  isIn(file: number): boolean;
  /** The bytes that it begins with, as far as they are known. */
  head(): Buffer;
  clear(): void;
}

/** Begins with nothing known: every file fits. */
export function createTrace(): Trace {
  let head: Buffer = Buffer.alloc(0);
  let tail: Buffer = Buffer.alloc(0);
  let offset = 0;
  let fingerprint = '';
  const grow = (more: Buffer): void => {
    if (more.length === 0) return;
    head = Buffer.concat([head, more]);
    fingerprint = digestOf(head);
  };
  return {
    trait: () => ({
      fingerprint,
      fingerprintLength: head.length,
      offset,
      ...(offset === 0 ? {} : { tail: crc32(tail) }),
    }),
    learn(file, upTo) {
      head = Buffer.alloc(0);
      grow(bytesAt(file, 0, Math.min(HEAD_BYTES, upTo)));
      tail = bytesAt(file, tailFrom(upTo), upTo - tailFrom(upTo));
      offset = upTo;
    },
    add(bytes, upTo) {
      if (head.length < HEAD_BYTES && offset === head.length)
        grow(Buffer.from(bytes.subarray(0, HEAD_BYTES - head.length)));
      tail =
        bytes.length >= TAIL_BYTES
          ? Buffer.from(bytes.subarray(bytes.length - TAIL_BYTES))
          : Buffer.concat([tail, bytes]).subarray(-TAIL_BYTES);
      offset = upTo;
    },
    isIn(file) {
      const from = tailFrom(offset);
      return (
        (tail.length === 0 || bytesAt(file, from, tail.length).equals(tail)) &&
        (head.length === 0 || bytesAt(file, 0, head.length).equals(head))
      );
    },
    head: () => head,
    clear() {
      head = Buffer.alloc(0);
      tail = head;
      offset = 0;
      fingerprint = '';
    },
  };
}
