import type { Peers, PeerReply } from '../../ports/peers.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HubFacts } from '../../service.ts';
import type { Principal } from '../../principal.ts';
import { problems } from './errors.ts';

/** What travels inwards. Everything else, above all headers that only the hub itself sets, stays outside. */
const INWARD = ['accept', 'content-type', 'user-agent', 'last-event-id', 'sec-fetch-site', 'if-none-match'] as const;
/** What travels outwards. */
const OUTWARD = ['content-type', 'cache-control', 'set-cookie', 'retry-after', 'etag', 'content-disposition'] as const;
/** Paths that see the cookie: those that renew and end sessions. */
const COOKIE_PATHS = new Set(['/api/v1/auth/refresh', '/api/v1/auth/logout']);

/** Says which route of a service answered, for metrics by route. */
export const ROUTE_HEADER = 'x-outrider-route';

/** Finds the service of a path: the longest prefix wins. */
export function serviceFor(routes: HubFacts['routes'], path: string): string | undefined {
  const fits = routes.filter(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
  return fits.sort((a, b) => b.prefix.length - a.prefix.length)[0]?.service;
}

function inwardHeaders(request: FastifyRequest, path: string): Record<string, string> {
  const headers: Record<string, string> = { 'x-forwarded-for': request.ip };
  for (const name of INWARD) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  if (COOKIE_PATHS.has(path) && request.headers.cookie !== undefined) headers['cookie'] = request.headers.cookie;
  return headers;
}

/** Ends the inner call when the client goes away, so that an event stream nobody reads ends too. */
function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  return gone.signal;
}

function answer(reply: FastifyReply, inner: PeerReply): FastifyReply {
  for (const name of OUTWARD) {
    const value = inner.headers[name];
    if (value !== undefined) void reply.header(name, value);
  }
  inner.body.on('error', () => reply.raw.destroy());
  return reply.code(inner.status).send(inner.body);
}

/** Hands a call to the service that owns its path and its answer back. Resolves with who answered what. */
export async function forward(
  given: { peers: Peers; routes: HubFacts['routes'] },
  request: FastifyRequest,
  reply: FastifyReply,
  principal: Principal | undefined,
): Promise<{ service: string; route: string }> {
  const [path = '', query] = request.url.split('?', 2);
  const service = serviceFor(given.routes, path);
  if (service === undefined) throw problems.unknownPath(`No service answers ${path}.`);
  const body = request.body as Buffer | undefined;
  const inner = await given.peers.call(service, {
    method: request.method as 'GET',
    path,
    query,
    headers: inwardHeaders(request, path),
    body: body === undefined || body.length === 0 ? undefined : body,
    principal,
    requestId: request.id,
    signal: untilGone(reply),
  });
  answer(reply, inner);
  return { service, route: String(inner.headers[ROUTE_HEADER] ?? 'unknown') };
}
