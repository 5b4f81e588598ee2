import { join } from 'node:path';
import { defineServer } from './kind.ts';
import { answers } from './processes.ts';
import { debian, installed } from './sources.ts';

/** Address of a VictoriaMetrics for tests. It has no databases: give each test file an organisation or a label value of its own (`ownName`). */
export interface VictoriaMetricsAddress {
  url: string;
}

/** Samples of any age are kept, equal (series, timestamp) are one, and queries see what was just written. */
const FLAGS = [
  '-retentionPeriod=100y',
  '-dedup.minScrapeInterval=1ms',
  '-search.latencyOffset=0s',
  '-search.disableCache',
  '-search.maxUniqueTimeseries=1000000',
  '-loggerLevel=WARN',
];

/** VictoriaMetrics: Debian's package unpacked when none is installed. */
export const victoriametrics = defineServer<VictoriaMetricsAddress>({
  id: 'victoriametrics',
  title: 'VictoriaMetrics',
  container: { image: 'victoriametrics/victoria-metrics:v1.79.5', port: 8428, args: FLAGS },
  sources: [
    installed('victoria-metrics'),
    debian({ packages: ['victoria-metrics'], program: 'usr/bin/victoria-metrics' }),
  ],
  address: (port) => ({ url: `http://127.0.0.1:${port}` }),
  ready: ({ url }) => answers(`${url}/health`),
  command: ({ program }, { folder, port }) => ({
    program,
    args: [...FLAGS, `-storageDataPath=${join(folder, 'data')}`, `-httpListenAddr=127.0.0.1:${port}`],
  }),
});
