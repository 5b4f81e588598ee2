import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elasticsearch8 } from '../services/elasticsearch.ts';
import { influxdb } from '../services/influxdb.ts';
import { ownName } from '../services/own-name.ts';
import { startBalancer } from './balancer.ts';
import { freePort } from './programs.ts';
import { sharedStores, startParts, type RunningHub } from './running-hub.ts';

/** Several processes with every service each, on shared stores, behind a balancer for people and one for agents. `hub.parts` has them by `all-1`, `all-2` …, as `hub.urls` does. */
export async function startReplicas(count: number, more: Readonly<Record<string, string>> = {}): Promise<RunningHub> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-hub-'));
  const stores = await sharedStores();
  const influx = await (await influxdb.find()).start();
  const elastic = await (await elasticsearch8.find()).start();
  const names = Array.from({ length: count }, (_, n) => `all-${n + 1}`);
  const [ports, grpcPorts] = [new Map<string, number>(), new Map<string, number>()];
  for (const name of names) for (const kind of [ports, grpcPorts]) kind.set(name, await freePort());
  const web = await startBalancer([...ports.values()]);
  const link = await startBalancer([...grpcPorts.values()]);
  const name = ownName('hub');
  const env = {
    ...stores.env,
    OUTRIDER_URL: `http://127.0.0.1:${web.port}`,
    OUTRIDER_INGEST__ADVERTISE: `127.0.0.1:${link.port}`,
    OUTRIDER_SERIES__ADAPTER: 'influx',
    OUTRIDER_SERIES__URL: influx.address.url,
    OUTRIDER_SERIES__ORG: influx.address.org,
    OUTRIDER_SERIES__TOKEN: influx.address.token,
    OUTRIDER_SERIES__BUCKET: name,
    OUTRIDER_LOGSTORE__ADAPTER: 'elastic',
    OUTRIDER_LOGSTORE__URLS: elastic.address.url,
    OUTRIDER_LOGSTORE__PREFIX: name,
  };
  const parts = names.map((one) => ({
    name: one,
    args: [
      ...['--data', join(folder, one)],
      ...['--port', String(ports.get(one)), '--grpc-port', String(grpcPorts.get(one))],
    ],
    env: { ...env, ...more },
  }));
  const hub = await startParts({
    parts,
    options: {},
    at: {
      port: web.port,
      grpcPort: link.port,
      data: join(folder, 'all-1'),
      urls: Object.fromEntries(names.map((one) => [one, `http://127.0.0.1:${ports.get(one)}`])),
    },
    async remove() {
      await Promise.all([web, link, stores, influx, elastic].map((one) => one.stop()));
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  });
  hub.data = join(folder, names.find((one) => existsSync(join(folder, one, 'first-sign-in.json'))) ?? '');
  return hub;
}
