import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Component } from '#sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Blobs, ByteRange } from './blobs.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
const CHUNK = 64 * 1024;

/** So many bytes whose every chunk differs, in a stream that does not say how many. */
function* chunks(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += CHUNK) {
    const chunk = Buffer.alloc(Math.min(CHUNK, bytes - at), 7);
    chunk.writeUInt32LE(at, 0);
    yield chunk;
  }
}

/** What every store of blobs must do; `make` gives an empty one. */
export function blobsContract(name: string, make: () => Promise<Component & { port: Blobs }>): void {
  describe(`blobs ${name}`, () => {
    let store: Component & { port: Blobs };
    let blobs: Blobs;
    beforeAll(async () => {
      store = await make();
      await store.start?.();
      blobs = store.port;
    }, 60_000);
    afterAll(async () => store.stop?.());

    const put = (key: string, text: string, org = ORG): Promise<number> =>
      blobs.put(org, key, Readable.from([Buffer.from(text)]));
    const read = async (key: string, org = ORG, range?: ByteRange): Promise<string | undefined> => {
      const stream = await blobs.get(org, key, range);
      return stream === undefined ? undefined : (await buffer(stream)).toString();
    };

    test('what was put is there, whole and in ranges', async () => {
      expect(await put('reports/2026/week-1.txt', '0123456789')).toBe(10);
      expect(await read('reports/2026/week-1.txt')).toBe('0123456789');
      expect(await read('reports/2026/week-1.txt', ORG, { from: 2, to: 4 })).toBe('234');
      expect(await read('reports/2026/week-1.txt', ORG, { from: 7 })).toBe('789');
      expect(await read('reports/2026/week-1.txt', ORG, { from: 7, to: 99 })).toBe('789');
      await expect(read('reports/2026/week-1.txt', ORG, { from: 10 })).rejects.toMatchObject({
        code: 'blobs.bad-range',
      });
      const facts = await blobs.head(ORG, 'reports/2026/week-1.txt');
      expect(facts).toMatchObject({ key: 'reports/2026/week-1.txt', size: 10 });
      expect(facts?.changedMs).toBeGreaterThan(1_700_000_000_000);
    });

    test('another org sees nothing of it, and may have the same key', async () => {
      await put('org/a', 'ours');
      expect(await read('org/a', OTHER)).toBeUndefined();
      expect(await blobs.head(OTHER, 'org/a')).toBeUndefined();
      expect((await blobs.list(OTHER, '')).blobs).toEqual([]);
      await put('org/a', 'theirs', OTHER);
      await blobs.delete(OTHER, 'org/a');
      expect(await read('org/a')).toBe('ours');
    });

    test('what is put again replaces what was there; an empty blob is one', async () => {
      await put('again', 'long before');
      expect(await put('again', 'new')).toBe(3);
      expect(await read('again')).toBe('new');
      expect(await put('again', '')).toBe(0);
      expect(await read('again')).toBe('');
    });

    test('what is not there is undefined, and deleting it is no fault', async () => {
      expect(await read('absent/key')).toBeUndefined();
      expect(await read('absent/key', ORG, { from: 0, to: 1 })).toBeUndefined();
      expect(await blobs.head(ORG, 'absent/key')).toBeUndefined();
      await blobs.delete(ORG, 'absent/key');
      await put('absent/soon', 'x');
      await blobs.delete(ORG, 'absent/soon');
      expect(await read('absent/soon')).toBeUndefined();
    });

    test('keys that lead elsewhere are refused', async () => {
      for (const key of ['', '/', '../x', 'a/../b', 'a//b', 'a/./b', '/a', 'a/', '.hidden', 'a\0b', 'a\\b', 'ä', 'a'.repeat(600)])
        for (const call of [put(key, 'x'), read(key), blobs.delete(ORG, key), blobs.head(ORG, key), blobs.link(ORG, key, 60)])
          await expect(call, key).rejects.toMatchObject({ code: 'blobs.bad-key' });
      await expect(put('x', 'x', '..')).rejects.toMatchObject({ code: 'blobs.bad-key' });
      await expect(blobs.list(ORG, '../')).rejects.toMatchObject({ code: 'blobs.bad-key' });
    }); // prettier-ignore

    test('a large stream of unknown length arrives whole', async () => {
      const bytes = 12 * 1024 * 1024 + 17;
      const expected = createHash('sha256');
      for (const chunk of chunks(bytes)) expected.update(chunk);
      expect(await blobs.put(ORG, 'large', Readable.from(chunks(bytes)))).toBe(bytes);
      const found = createHash('sha256');
      for await (const chunk of (await blobs.get(ORG, 'large')) ?? []) found.update(chunk as Buffer);
      expect(found.digest('hex')).toBe(expected.digest('hex'));
    }, 120_000);

    test('an upload that fails or is aborted leaves nothing, and what was there before', async () => {
      await put('kept', 'before');
      function* failing(): Generator<Buffer> {
        yield* chunks(6 * 1024 * 1024);
        throw new Error('the sender is gone');
      }
      await expect(blobs.put(ORG, 'gone', Readable.from(failing()))).rejects.toThrow();
      await expect(blobs.put(ORG, 'kept', Readable.from(failing()))).rejects.toThrow();
      const abort = new AbortController();
      function* aborting(): Generator<Buffer> {
        yield* chunks(6 * 1024 * 1024);
        abort.abort();
        yield* chunks(6 * 1024 * 1024);
      }
      await expect(blobs.put(ORG, 'gone', Readable.from(aborting()), abort.signal)).rejects.toThrow();
      expect(await blobs.head(ORG, 'gone')).toBeUndefined();
      expect(await read('kept')).toBe('before');
      expect((await blobs.list(ORG, 'gone')).blobs).toEqual([]);
    }, 120_000);

    test('a listing goes page by page, in order, by prefix', async () => {
      const keys = Array.from({ length: 1_030 }, (_, n) => `pages/${n % 3}/${n}`);
      for (let at = 0; at < keys.length; at += 30)
        await Promise.all(keys.slice(at, at + 30).map((key) => put(key, key)));
      await put('pages-not', 'x');
      const found: string[] = [];
      let after: string | undefined;
      let pages = 0;
      do {
        const page = await blobs.list(ORG, 'pages/', after === undefined ? { limit: 400 } : { after, limit: 400 });
        found.push(...page.blobs.map(({ key }) => key));
        after = page.next;
        pages += 1;
      } while (after !== undefined);
      expect(pages).toBe(3);
      expect(found).toEqual([...keys].sort());
      expect((await blobs.list(ORG, 'pages/1/10')).blobs.map(({ key }) => key)).toEqual(
        keys.filter((key) => key.startsWith('pages/1/10')).sort(),
      );
      expect((await blobs.list(ORG, 'pages/')).blobs).toHaveLength(1_000);
    }, 120_000);

    test('a link gives the blob to who has it, where the store has links', async () => {
      await put('linked', 'for everybody');
      const link = await blobs.link(ORG, 'linked', 60);
      if (link === undefined) return;
      const answer = await fetch(link);
      expect(await answer.text()).toBe('for everybody');
      const forged = await fetch(link.replace('linked', 'kept'));
      expect(forged.status).toBe(403);
      await forged.body?.cancel();
    });
  });
}
