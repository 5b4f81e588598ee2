import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineServer } from './kind.ts';
import { answers } from './processes.ts';
import { debian, installed } from './sources.ts';

/** Address of a Prometheus for tests. It has no databases: give each test file an organisation or a label value of its own (`ownName`). */
export interface PrometheusAddress {
  url: string;
}

const SETTINGS = 'global: { scrape_interval: 1h }\nstorage: { tsdb: { out_of_order_time_window: 365d } }\n';
const FLAGS = [
  '--storage.tsdb.retention.time=100y',
  '--web.enable-remote-write-receiver',
  '--web.enable-admin-api',
  '--log.level=warn',
];

/** What Debian has: both programs in one package. */
export const PROMETHEUS = { packages: ['prometheus'], program: 'usr/bin/prometheus' };

/** Prometheus: Debian's package unpacked when none is installed. It takes remote writes, also of samples up to a year old, and its admin API deletes. */
export const prometheus = defineServer<PrometheusAddress>({
  id: 'prometheus',
  title: 'Prometheus',
  container: {
    image: 'prom/prometheus:v2.42.0',
    port: 9090,
    file: { path: '/etc/outrider.yml', text: SETTINGS },
    args: ['--config.file=/etc/outrider.yml', '--storage.tsdb.path=/prometheus', ...FLAGS],
  },
  sources: [installed('prometheus'), debian(PROMETHEUS)],
  address: (port) => ({ url: `http://127.0.0.1:${port}` }),
  ready: ({ url }) => answers(`${url}/-/ready`),
  command: ({ program }, { folder, port }) => {
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, SETTINGS);
    const places = [`--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`];
    return { program, args: [`--config.file=${file}`, ...places, ...FLAGS] };
  },
});
