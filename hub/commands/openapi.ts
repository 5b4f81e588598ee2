import { silentLogger, systemClock, VERSION } from '#sdk';
import { Registry } from 'prom-client';
import { assemble, planFor, planSettings } from '../assemble.ts';
import { createEgress } from '../egress.ts';
import { mergeDocuments } from '../serve.ts';

/** The OpenAPI document of all services, as JSON. Nothing is started: creating parts does no I/O. */
export async function printOpenApi(): Promise<string> {
  const sources = { env: {}, flags: {} };
  const plan = await planFor('all', sources);
  const { services } = await assemble(plan, {
    settings: planSettings(plan, sources),
    dataFolder: '',
    hub: {
      version: VERSION,
      publicUrl: '',
      linkAddress: '',
      listen: '',
      hostnames: [],
      downloads: [],
      training: [],
      page: '',
      routes: [],
    },
    clock: systemClock,
    log: silentLogger,
    metrics: new Registry(),
    egress: createEgress({ allow: [] }),
    fail: () => undefined,
  });
  return `${JSON.stringify(
    mergeDocuments(
      services.map(({ app }) => app.swagger() as never),
      VERSION,
    ),
    null,
    2,
  )}\n`;
}
