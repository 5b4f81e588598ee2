import type { FastifyReply, FastifyRequest } from 'fastify';
import { OUTSIDE_HEADER } from '../../http.ts';
import type { PeerReply, PeerRequest, Peers } from '../../ports/peers.ts';
import type { Principal } from '../../principal.ts';

/** What travels inwards. Everything else, above all headers that only the hub itself sets, stays outside. */
const INWARD = ['accept', 'content-type', 'user-agent', 'last-event-id', 'if-none-match'] as const;
/** What travels outwards. */
const OUTWARD = [
  'content-type',
  'cache-control',
  'content-disposition',
  'etag',
  'last-modified',
  'location',
  'retry-after',
  'set-cookie',
] as const;
/** Paths that see the cookie: those that renew and end sessions. */
const COOKIE_PATHS = new Set(['/api/v1/auth/refresh', '/api/v1/auth/logout']);

/** By which header a service says which of its routes answered. */
const ROUTE_HEADER = 'x-outrider-route';

/** One call on its way to a service. */
export interface Forwarded {
  service: string;
  path: string;
  principal: Principal | undefined;
  /** What throttles count the caller as. */
  network: string;
  signal: AbortSignal;
}

function inwardHeaders(request: FastifyRequest, { path, network }: Forwarded): Record<string, string> {
  const headers: Record<string, string> = {
    [OUTSIDE_HEADER]: '1',
    'x-forwarded-for': request.ip,
    'x-outrider-network': network,
  };
  for (const name of INWARD) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  if (COOKIE_PATHS.has(path) && request.headers.cookie !== undefined) headers['cookie'] = request.headers.cookie;
  return headers;
}

/** Hands a call to a service, its body as the bytes that came. */
export function forward(peers: Peers, request: FastifyRequest, call: Forwarded): Promise<PeerReply> {
  const body = request.body as Buffer | undefined;
  const mark = request.url.indexOf('?');
  return peers.call(call.service, {
    method: request.method as PeerRequest['method'],
    path: call.path,
    query: mark < 0 ? undefined : request.url.slice(mark + 1),
    headers: inwardHeaders(request, call),
    body: body === undefined || body.length === 0 ? undefined : body,
    principal: call.principal,
    requestId: request.id,
    signal: call.signal,
  });
}

/** The route that answered, as metrics name it. */
export function routeOf(inner: PeerReply): string {
  return String(inner.headers[ROUTE_HEADER] ?? 'unknown');
}

/** True for an answer that goes on for as long as somebody reads it. */
export function isEventStream(inner: PeerReply): boolean {
  return String(inner.headers['content-type']).startsWith('text/event-stream');
}

/** Hands a service's answer to the caller as it arrives. */
export function answer(reply: FastifyReply, inner: PeerReply): FastifyReply {
  for (const name of OUTWARD) {
    const value = inner.headers[name];
    if (value !== undefined) void reply.header(name, value);
  }
  // A proxy that collects before it passes on would hold events back.
  if (isEventStream(inner)) void reply.header('x-accel-buffering', 'no');
  inner.body.on('error', () => reply.raw.destroy());
  return reply.code(inner.status).send(inner.body);
}
