import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import { createTieredStore } from '../points/tiered-store.ts';
import { createPoints } from './points.ts';
import { connect } from './server.ts';

const config = Type.Object({
  url: Type.String({ description: 'http://host:8086 or https://host of an InfluxDB 2.', default: '' }),
  org: Type.String({ description: 'Organisation in InfluxDB.', default: 'outrider' }),
  token: Type.String({
    description: 'May read organisations; read, write and make buckets.',
    secret: true,
    default: '',
  }),
  bucket: Type.String({
    description: 'Names of buckets begin with it.',
    default: 'outrider',
    pattern: '^[\\w.-]+$',
    form: 'letters, digits, dots, dashes and underscores',
  }),
  timeoutSeconds: Type.Integer({ description: 'Seconds that the server may take to answer.', default: 20, minimum: 1 }),
});

const isAddress = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);

/** Samples in the buckets of an InfluxDB 2, one for each resolution. */
export const influxSeries = defineAdapter<SeriesStore, typeof config>({
  name: 'influx',
  reach: 'hub',
  config,
  faults: ({ url, token }) => [
    ...(isAddress(url) ? [] : ['series.url: is no address of an InfluxDB. Set it to http://host:8086.']),
    ...(token === '' ? ['series.token: is missing. Make one that may read, write and make buckets.'] : []),
  ],
  create: ({ config: place, clock, log }) => {
    const server = createPoints(connect(place), place.bucket, () => clock.now());
    return { ...createTieredStore(server, { clock, log }), check: () => server.check() };
  },
});
