import { basename } from 'node:path';
import { checkSettings, silentLogger, systemClock, type Component } from '#sdk';
import { Registry } from 'prom-client';
import { afterAll } from 'vitest';
import { onServer } from '../../../../test/services/index.ts';
import { elasticsearch8, elasticsearch9 } from '../../../../test/services/elasticsearch.ts';
import { logstoreContract } from '../../../ports/logstore.contract.ts';
import type { LogStore } from '../../../ports/logstore.ts';
import { elasticLogstore } from './index.ts';

type Given = Record<string, unknown>;
type Adapter = Component & { port: LogStore };

function adapterFor(given: Given): Adapter {
  const config = checkSettings(elasticLogstore.config, { ...given }, []);
  const rest = { log: silentLogger, clock: systemClock, metrics: new Registry(), fail: () => undefined };
  return elasticLogstore.create({ config, dataFolder: '', ...rest });
}

/** Deletes what tests made: the server refuses to delete by a pattern. */
async function sweep(url: string, prefix: string): Promise<void> {
  const found = (await (await fetch(`${url}/_cat/indices/${prefix}*?h=index&format=json`)).json()) as {
    index: string;
  }[];
  for (const { index } of found) await fetch(`${url}/${index}`, { method: 'DELETE' });
  await fetch(`${url}/_index_template/${prefix}*`, { method: 'DELETE' });
}

for (const kind of [elasticsearch8, elasticsearch9]) {
  await onServer(kind, ({ url }) => {
    afterAll(() => sweep(url, 'outrider-logstore-'));
    logstoreContract(`elastic, ${kind.title}`, (folder) =>
      adapterFor({ urls: [url], prefix: basename(folder).toLowerCase() }),
    );
  });
}
