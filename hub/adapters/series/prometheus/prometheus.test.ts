import { basename } from 'node:path';
import { checkSettings, silentLogger, systemClock, type Component } from '#sdk';
import { Registry } from 'prom-client';
import { onServer } from '../../../../test/services/index.ts';
import { prometheus } from '../../../../test/services/prometheus.ts';
import { victoriametrics } from '../../../../test/services/victoriametrics.ts';
import { seriesContract } from '../../../ports/series.contract.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { prometheusSeries } from './index.ts';

type Given = Record<string, unknown>;
type Adapter = Component & { port: SeriesStore };

function adapterFor(given: Given): Adapter {
  const config = checkSettings(prometheusSeries.config, { ...given }, []);
  const rest = { log: silentLogger, clock: systemClock, metrics: new Registry(), fail: () => undefined };
  return prometheusSeries.create({ config, dataFolder: '', ...rest });
}
const prefixOf = (name: string): string => basename(name).replaceAll('-', '_');

for (const kind of [victoriametrics, prometheus])
  await onServer(kind, ({ url }) => {
    seriesContract(kind.id, (folder) => adapterFor({ url, prefix: prefixOf(folder) }), { keepsTables: false });
  });
