import { readFileSync } from 'node:fs';
import { demandNothingLost, startPersistentAgents, untilFurther } from '#kit/persistent-agent.ts';
import { until } from '#kit/programs.ts';
import { signInFirst, startHubProgram } from '#kit/running-hub.ts';
import { expect, test } from 'vitest';
import { onServer } from '../services/index.ts';
import { otelcol } from '../services/otelcol.ts';

interface Attribute {
  key: string;
  value: { stringValue?: string };
}
interface Exported {
  resourceSpans?: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: { traceId: string; name: string; attributes?: Attribute[] }[] }[];
  }[];
}
interface Seen {
  trace: string;
  /** The target of the process that made it. */
  target: string;
  name: string;
}

const textOf = (attributes: Attribute[] = [], key: string): string =>
  attributes.find((one) => one.key === key)?.value.stringValue ?? '';

/** Every span that the collector was given. */
function spansIn(file: string): Seen[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.flatMap((line) =>
    ((JSON.parse(line) as Exported).resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map(({ traceId: trace, name }) => ({
          trace,
          name,
          target: textOf(resource.attributes, 'outrider.target'),
        })),
      ),
    ),
  );
}

await onServer(otelcol, ({ url, file }) => {
  const env = { OUTRIDER_TRACING__ENDPOINT: url, OUTRIDER_TRACING__RATIO: '1' };
  /** The spans of a trace that has one of each name in each process; as `target name`. */
  const traceWith = (wanted: readonly string[]): Promise<string[]> =>
    until(`a trace with ${wanted.join(', ')}`, () => {
      const traces = new Map<string, Set<string>>();
      for (const { trace, target, name } of spansIn(file))
        traces.set(trace, (traces.get(trace) ?? new Set()).add(`${target} ${name}`));
      const found = [...traces.values()].find((names) => wanted.every((one) => names.has(one)));
      return found && [...found];
    });

  test('one trace leads from a call through the gateway and the service to its statements', async () => {
    const hub = await startHubProgram([], { env }, 'all');
    const api = await signInFirst(hub);
    await api.call('GET', '/api/v1/monitoring/resources');
    const route = 'all GET /api/v1/monitoring/resources';
    expect(await traceWith(['all HTTP GET', route, 'all relational.forOrg', 'all SELECT'])).toContain(route);
    await hub.close();
  });

  test('it goes on in other processes: over HTTP to a sister, and over the bus with a batch of an agent', async () => {
    const hub = await startHubProgram([], { env }, 'split');
    const api = await signInFirst(hub);
    await api.call('GET', '/api/v1/logs/search?from=-5m&limit=1');
    await traceWith([
      'gateway HTTP GET',
      'gateway peers logs',
      'logs HTTP GET',
      'logs GET /api/v1/logs/search',
      'logs logstore.search',
    ]);
    const load = await startPersistentAgents(hub, 1, { perSecond: 5 });
    await untilFurther(load.agents, 3);
    const kind = 'ingest.batch-received';
    await traceWith([
      'ingest batch',
      `ingest publish ${kind}`,
      `monitoring ${kind} monitoring`,
      'monitoring series.append',
      `logs ${kind} logs`,
      'logs logstore.append',
    ]);
    await demandNothingLost(api, load);
    await hub.close();
  });
});
