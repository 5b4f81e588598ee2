import { defineProblems } from '#sdk';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DEADLINE_HEADER, withinCall } from './call-context.ts';
import type { PeerReply, PeerRequest, Peers } from './ports/peers.ts';
import type { ServiceTokens } from './service-token.ts';

const problems = defineProblems('peer-door', {
  noToken: { status: 401, title: 'Only a part of this hub may call this.' },
});

/** What the door stands on. */
export interface PeerDoorGiven {
  /** The services of this process and no others: a call is never handed on. */
  local: Peers;
  tokens: ServiceTokens;
}

/** What belongs to one connection, or is made anew for the next. */
const OF_THE_CONNECTION = new Set([
  'authorization', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'upgrade', 'te', 'trailer', 'expect', 'date',
  'x-outrider-principal', DEADLINE_HEADER,
]); // prettier-ignore

const MOST_MS = 60_000;

/** Headers as texts, without those of the connection. The principal comes from the token alone. */
function passedOn(headers: FastifyRequest['headers'] | PeerReply['headers']): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !OF_THE_CONNECTION.has(name)) kept[name] = value;
  }
  return kept;
}

/** Milliseconds that the caller still waits. */
function leftOf(request: FastifyRequest): number {
  const said = Number(request.headers[DEADLINE_HEADER]);
  return Number.isFinite(said) && said > 0 ? Math.min(said, MOST_MS) : MOST_MS;
}

async function handle(given: PeerDoorGiven, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { service = '', '*': rest = '' } = request.params as { service?: string; '*'?: string };
  const token = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw problems.noToken('The call carries no service token.');
  const principal = await given.tokens.verify(service, token);
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  const mark = request.url.indexOf('?');
  const body = request.body as Buffer | undefined;
  const inner = await withinCall(leftOf(request), () =>
    given.local.call(service, {
      method: request.method as PeerRequest['method'],
      // As it came, not as the router decoded it: a %2F in a name stays one.
      path: rawPath(request.url, service, rest),
      query: mark < 0 ? undefined : request.url.slice(mark + 1),
      headers: passedOn(request.headers) as Record<string, string>,
      body: body === undefined || body.length === 0 ? undefined : body,
      principal,
      signal: gone.signal,
    }),
  );
  inner.body.on('error', () => reply.raw.destroy());
  return reply.code(inner.status).headers(passedOn(inner.headers)).send(inner.body);
}

function rawPath(url: string, service: string, rest: string): string {
  const begin = `/peers/${service}`;
  return url.startsWith(`${begin}/`) ? (url.slice(begin.length).split('?', 1)[0] ?? '') : `/${rest}`;
}

/** Lets sisters in other processes call the services of this one: `/peers/<service>/<path>`, with a service token. */
export async function servePeers(listener: FastifyInstance, given: PeerDoorGiven): Promise<void> {
  await listener.register((door, _options, done) => {
    door.removeAllContentTypeParsers();
    door.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    door.route({
      method: ['GET', 'POST', 'PUT', 'DELETE'],
      url: '/peers/:service/*',
      exposeHeadRoute: false,
      handler: (request, reply) => handle(given, request, reply),
    });
    done();
  });
}
