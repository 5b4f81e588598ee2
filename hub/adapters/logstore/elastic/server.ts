import { readFileSync } from 'node:fs';
import { Client } from '@elastic/elasticsearch';
import { addressOf, type ElasticConfig } from './config.ts';
import type { Operation } from './documents.ts';
import { problemFor, problemOf, type Refusal } from './errors.ts';

/** Characters that go in one bulk: enough for the server to be busy, well below what it takes at most (100 MB). */
const BULK_CHARACTERS = 8_000_000;

interface BulkAnswer {
  errors?: boolean;
  items?: Record<string, { _index: string; status: number; error?: { type?: string; reason?: string } }>[];
}

/** Operations as the lines of some bulks. */
function* bulksOf(operations: readonly Operation[]): Generator<string[]> {
  let bulk: string[] = [];
  let characters = 0;
  for (const { action, document } of operations) {
    if (characters + document.length > BULK_CHARACTERS && bulk.length > 0) {
      yield bulk;
      [bulk, characters] = [[], 0];
    }
    bulk.push(action, document);
    characters += document.length;
  }
  if (bulk.length > 0) yield bulk;
}

/** What a bulk was refused, and the index of each document that was there before: what a resend is meant to find. */
function readAnswer({ errors, items = [] }: BulkAnswer): { refusal: Refusal | undefined; old: string[] } {
  if (errors !== true) return { refusal: undefined, old: [] };
  const old: string[] = [];
  const refused: Refusal[] = [];
  for (const { status, error, _index } of items.flatMap((item) => Object.values(item))) {
    if (error === undefined) continue;
    if (status === 409 && error.type === 'version_conflict_engine_exception') old.push(_index);
    else refused.push({ status, type: error.type ?? '', reason: `${error.reason ?? ''} (index ${_index})` });
  }
  // A document at fault is told only when the server itself is well: else it would be blamed for what passes.
  return { refusal: refused.find(({ status }) => status !== 400) ?? refused[0], old };
}

/** What is asked of an Elasticsearch. Failures name its address. */
export type Server = ReturnType<typeof connect>;

/** Gives a server by its settings; nothing is sent before the first call. Reads the file of `ca`. */
export function connect(config: ElasticConfig) {
  const { urls, apiKey, username, password, ca, timeoutSeconds } = config;
  const address = addressOf(config);
  const client = new Client({
    nodes: urls,
    ...(apiKey === '' ? {} : { auth: { apiKey } }),
    ...(username === '' ? {} : { auth: { username, password } }),
    ...(ca === '' ? {} : { tls: { ca: readFileSync(ca) } }),
    requestTimeout: timeoutSeconds * 1000,
    // Every call may be sent again: each other node is tried once.
    maxRetries: urls.length - 1,
    name: 'outrider',
  });
  const ask = <T>(work: (client: Client) => Promise<T>): Promise<T> =>
    work(client).catch((error: unknown) => {
      throw problemOf(error, address);
    });
  const querystring = {
    timeout: `${Math.ceil(timeoutSeconds / 2)}s`,
    filter_path: 'errors,items.*.status,items.*.error.type,items.*.error.reason,items.*._index',
  };
  return {
    address,
    ask,
    /** Stores documents: resolves when all are durable. Gives how many were there before, by their ids or versions: those are left as they are. */
    async bulk(operations: readonly Operation[]): Promise<number> {
      let count = 0;
      for (const lines of bulksOf(operations)) {
        const answer = await ask((es) =>
          es.transport.request<BulkAnswer>({ method: 'POST', path: '/_bulk', querystring, bulkBody: lines }),
        );
        const { refusal, old } = readAnswer(answer);
        if (refusal !== undefined) throw problemFor(refusal, address);
        // Whoever stores them at this moment may not have them on disk yet.
        if (old.length > 0) await ask((es) => es.indices.flush({ index: [...new Set(old)], wait_if_ongoing: true }));
        count += old.length;
      }
      return count;
    },
    close: () => client.close(),
  };
}
