import { readFileSync } from 'node:fs';
import swaggerUi from '@fastify/swagger-ui';
import swagger from '@fastify/swagger';
import { defineProblems, reasonOf, systemClock, type Component, type Logger } from '#sdk';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { answerProblems } from './http.ts';
import { servePeers, type PeerDoorGiven } from './peer-door.ts';
import type { Service } from './service.ts';
import { openSpan, SpanKind } from './tracing.ts';

const problems = defineProblems('listener', {
  portTaken: { status: 500, title: 'The port is taken.' },
  cannotListen: { status: 500, title: 'The hub cannot listen there.' },
  notReady: { status: 503, title: 'The hub is not ready.', retryable: true },
  metricsClosed: { status: 403, title: 'Metrics are for callers on this machine.' },
});

/** One part whose health counts for readiness. */
export interface Checked {
  name: string;
  component: Component;
}

/** What the listener of a process serves. */
export interface ListenerOptions {
  listen: string;
  port: number;
  /** Key and certificate chain, PEM; plain HTTP when absent. */
  tls?: { key: string; cert: string };
  version: string;
  metrics: Registry;
  metricsOpen: boolean;
  checked: readonly Checked[];
  /** OpenAPI documents of the services. */
  documents(): Promise<readonly object[]>;
  peerDoor: PeerDoorGiven;
  services: readonly Service[];
  log: Logger;
}

interface ApiDocument {
  paths?: Record<string, Record<string, Operation>>;
  tags?: unknown[];
}

interface Described {
  properties?: Record<string, Described>;
  required?: string[];
  items?: Described;
  default?: unknown;
}

/** What has a default may be left out by a caller, which the schema of the filled-in value does not say. */
function forgiving(schema: Described): Described {
  const { properties, required, items } = schema;
  if (items !== undefined) return { ...schema, items: forgiving(items) };
  if (properties === undefined) return schema;
  const needed = required?.filter((key) => properties[key]?.default === undefined) ?? [];
  const inner = Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, forgiving(child)]));
  const { required: _filledIn, ...rest } = schema;
  return { ...rest, properties: inner, ...(needed.length === 0 ? {} : { required: needed }) };
}

/** How every route refuses, as `answerProblems` writes it. */
const PROBLEM = {
  type: 'object',
  description: 'An RFC 9457 document; further members hold the facts of this refusal.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', description: 'urn:outrider:problem: and the code.' },
    title: { type: 'string', description: 'What kind of refusal it is.' },
    status: { type: 'integer', description: 'The status of the answer.' },
    detail: { type: 'string', description: 'What happened this time, and what to do.' },
    code: { type: 'string', description: 'Stable, for programs: http.invalid-request.' },
    instance: { type: 'string', description: 'The id of the request; the hub’s log has it too.' },
    faults: { type: 'array', items: { type: 'string' }, description: 'Each fault of a request that is not valid.' },
  },
  additionalProperties: true,
};
const REFUSED = {
  description: 'Refused.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

interface Operation {
  responses?: Record<string, unknown>;
  parameters?: { required?: boolean; schema?: Described }[];
  requestBody?: { content?: Record<string, { schema?: Described }> };
}

/** An operation as a caller sees it: only what has no default must be sent, and any call may be refused. */
function asCalled(operation: Operation): Operation {
  const parameters = operation.parameters?.map((one) =>
    one.schema?.default === undefined ? one : { ...one, required: false },
  );
  const content = Object.entries(operation.requestBody?.content ?? {}).map(
    ([type, { schema, ...rest }]) => [type, { ...rest, schema: schema && forgiving(schema) }] as const,
  );
  return {
    ...operation,
    responses: { ...operation.responses, default: REFUSED },
    ...(parameters === undefined ? {} : { parameters }),
    ...(content.length === 0
      ? {}
      : { requestBody: { ...operation.requestBody, content: Object.fromEntries(content) } }),
  };
}

/** One OpenAPI 3.1 document of all services' routes; what only sisters may call is left out. */
export function mergeDocuments(documents: readonly ApiDocument[], version: string): Record<string, unknown> {
  const paths: Record<string, unknown> = {};
  for (const document of documents) {
    for (const [path, item] of Object.entries(document.paths ?? {})) {
      if (path.startsWith('/internal/')) continue;
      paths[path] = Object.fromEntries(Object.entries(item).map(([method, one]) => [method, asCalled(one)]));
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Outrider',
      version,
      description: 'The hub’s web API. Errors are RFC 9457 documents; lists answer items, total, limit and offset.',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    components: {
      schemas: { Problem: PROBLEM },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An access token, or a key (`ork_…`).' },
      },
    },
    paths,
  };
}

async function readiness(checked: readonly Checked[]): Promise<string[]> {
  const faults = await Promise.all(
    checked.map(async ({ name, component }) => {
      try {
        await component.check?.();
        return [];
      } catch (error) {
        return [`${name}: ${reasonOf(error)}`];
      }
    }),
  );
  return faults.flat();
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

function ownRoutes(app: FastifyInstance, options: ListenerOptions): void {
  app.get('/live', () => ({ status: 'live' }));
  app.get('/ready', async () => {
    const faults = await readiness(options.checked);
    if (faults.length > 0) throw problems.notReady(faults.join('; '), { facts: { faults } });
    return { status: 'ready', version: options.version };
  });
  app.get('/metrics', async (request, reply) => {
    if (!options.metricsOpen && !LOOPBACK.test(request.ip)) {
      throw problems.metricsClosed('Set metrics.open to let others read them.');
    }
    return reply.type(options.metrics.contentType).send(await options.metrics.metrics());
  });
}

/** How long a merged document is shown before the services are asked again, milliseconds. */
const DOCUMENT_MS = 30_000;

/** The web API's document at /openapi.json and, to be read by people, below /api. */
async function serveDocument(app: FastifyInstance, options: ListenerOptions): Promise<void> {
  let document: Record<string, unknown> = mergeDocuments([], options.version);
  let askedMs = -Infinity;
  const refresh = async (): Promise<void> => {
    if (systemClock.monotonic() - askedMs < DOCUMENT_MS) return;
    document = mergeDocuments((await options.documents()) as ApiDocument[], options.version);
    askedMs = systemClock.monotonic();
  };
  app.get('/openapi.json', async () => {
    await refresh();
    return document;
  });
  await app.register(async (docs) => {
    await docs.register(swagger, { mode: 'static', specification: { document: document as never } });
    await docs.register(swaggerUi, {
      routePrefix: '/api',
      staticCSP: true,
      theme: { title: 'Outrider: web API' },
      uiConfig: { layout: 'BaseLayout', docExpansion: 'none', tagsSorter: 'alpha' },
      uiHooks: { preHandler: (_request, _reply, done) => void refresh().then(() => done(), done) },
      transformSpecificationClone: false,
      transformSpecification: () => document,
    });
  });
}

/** What only asks how the process is does not belong into traces. */
const UNTRACED = new Set(['/live', '/ready', '/metrics']);

/** A span for every call that arrives. Only sisters continue a trace: an outsider's word would choose what is recorded. */
function traceCalls(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const path = request.url.split('?', 1)[0] ?? '';
    if (UNTRACED.has(path)) return done();
    const attributes = { 'http.request.method': request.method, 'url.path': path, 'client.address': request.ip };
    const from = path.startsWith('/peers/') ? request.headers : {};
    const { span, within } = openSpan(`HTTP ${request.method}`, { kind: SpanKind.SERVER, attributes, from });
    reply.raw.on('close', () => {
      span.setAttribute('http.response.status_code', reply.statusCode);
      span.end();
    });
    within(done);
  });
}

/** Builds the listener of a process: its own routes, the browsable API page, and what services mount on the edge. */
export async function createListener(options: ListenerOptions): Promise<FastifyInstance> {
  const https =
    options.tls === undefined ? null : { key: options.tls.key, cert: options.tls.cert, minVersion: 'TLSv1.2' as const };
  const app = Fastify({
    https: https as null,
    logger: false,
    requestIdHeader: false,
    genReqId: () => crypto.randomUUID(),
    bodyLimit: 1_048_576,
    forceCloseConnections: true,
    requestTimeout: 60_000,
  }) as unknown as FastifyInstance;
  answerProblems(app, options.log);
  traceCalls(app);
  ownRoutes(app, options);
  await servePeers(app, options.peerDoor);
  for (const service of options.services) await service.edge?.(app);
  await serveDocument(app, options);
  return app;
}

/** Listens; a taken port becomes one sentence that says what to do. */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw problems.portTaken(
        `Port ${port} on ${host} is taken by another program. Stop it, or choose another port: make start PORT=${port + 1010}, or --port.`,
      );
    }
    if (['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'].includes(code ?? '')) {
      throw problems.cannotListen(
        `Cannot listen on ${host}:${port} (${code}). Choose an address of this machine and a port above 1023.`,
      );
    }
    throw error;
  }
}

/** Reads a PEM file named in the settings. */
export function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw problems.cannotListen(`The certificate file ${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
