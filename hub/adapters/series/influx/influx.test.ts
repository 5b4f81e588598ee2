import { basename } from 'node:path';
import { checkSettings, silentLogger, systemClock, type Component } from '#sdk';
import { Registry } from 'prom-client';
import { onServer } from '../../../../test/services/index.ts';
import { influxdb, type InfluxAddress } from '../../../../test/services/influxdb.ts';
import { seriesContract } from '../../../ports/series.contract.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { influxSeries } from './index.ts';

type Given = Partial<InfluxAddress> & { bucket: string; timeoutSeconds?: number };

function adapterFor(given: Given): Component & { port: SeriesStore } {
  const config = checkSettings(influxSeries.config, { ...given }, []);
  return influxSeries.create({
    config,
    dataFolder: '',
    log: silentLogger,
    clock: systemClock,
    fail: () => undefined,
    metrics: new Registry(),
  });
}

await onServer(influxdb, (address) => {
  seriesContract('influx', (folder) => adapterFor({ ...address, bucket: basename(folder) }), { keepsTables: false });
});
