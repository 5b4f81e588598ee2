import { Readable } from 'node:stream';
import { HOST_MODEL_LIMIT } from '#proto/agent/v1/host-model.ts';
import { LRUCache } from 'lru-cache';
import type { Blobs } from '../../../ports/blobs.ts';
import { problems } from '../errors.ts';

/** Characters of documents that are held for the next agent that asks. */
const CACHED = 16_777_216;

const folderOf = (resource: string): string => `models/${resource}/`;
const keyOf = (resource: string, version: string): string => `${folderOf(resource)}${version}.json`;

async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > 4 * HOST_MODEL_LIMIT) throw problems.modelGone('It is longer than any model.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The documents of models, as they were made: never changed, only removed. */
export function createDocuments(blobs: Blobs) {
  const cache = new LRUCache<string, string>({ maxSize: CACHED, sizeCalculation: (text) => text.length + 1 });
  return {
    async write(org: string, resource: string, version: string, text: string): Promise<void> {
      await blobs.put(org, keyOf(resource, version), Readable.from([Buffer.from(text)]));
    },
    /** Throws `predictions.model-gone` where the blob is not there. */
    async read(org: string, resource: string, version: string): Promise<string> {
      const key = keyOf(resource, version);
      const cached = cache.get(`${org}/${key}`);
      if (cached !== undefined) return cached;
      const stream = await blobs.get(org, key);
      if (stream === undefined) throw problems.modelGone(`The store of blobs has no document of ${version}.`);
      const text = await textOf(stream);
      cache.set(`${org}/${key}`, text);
      return text;
    },
    async remove(org: string, resource: string, version: string): Promise<void> {
      cache.delete(`${org}/${keyOf(resource, version)}`);
      await blobs.delete(org, keyOf(resource, version));
    },
    /** Versions of which there is a document. */
    async versions(org: string, resource: string): Promise<string[]> {
      const versions: string[] = [];
      let after: string | undefined;
      do {
        const page = await blobs.list(org, folderOf(resource), after === undefined ? {} : { after });
        versions.push(...page.blobs.map(({ key }) => key.slice(folderOf(resource).length, -'.json'.length)));
        after = page.next;
      } while (after !== undefined);
      return versions;
    },
  };
}
export type ModelDocuments = ReturnType<typeof createDocuments>;
