import { gzipSync } from 'node:zlib';

/** A text file of an archive. */
export interface ArchiveFile {
  name: string;
  text: string;
}

const BLOCK = 512;

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

/** A ustar header (POSIX.1-1988): numbers in octal, the checksum taken with its own field blank. */
function headerOf(name: string, size: number, timeMs: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name.slice(0, 100), 0);
  header.write(octal(0o600, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(Math.floor(timeMs / 1000), 11), 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Packs text files into a .tar.gz; names have at most 100 characters. */
export function archiveOf(files: readonly ArchiveFile[], timeMs: number): Buffer {
  const blocks = files.flatMap(({ name, text }) => {
    const bytes = Buffer.from(text);
    return [headerOf(name, bytes.length, timeMs), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}
