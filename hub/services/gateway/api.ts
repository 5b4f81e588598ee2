import type { Clock } from '#sdk';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Histogram } from 'prom-client';
import type { Peers } from '../../ports/peers.ts';
import type { HubFacts } from '../../service.ts';
import type { Allowances } from './allowance.ts';
import { networkOf } from './allowance.ts';
import type { Authenticate, Caller } from './authenticate.ts';
import { problems } from './errors.ts';
import { answer, forward, isEventStream, routeOf } from './forward.ts';
import { isForeign } from './origin.ts';
import { isPlain, serviceFor } from './path.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Which service and route answered, for the metrics. */
    answeredBy: { service: string; route: string } | null;
    /** The monotonic clock when it arrived, milliseconds. */
    arrived: number;
  }
}

/** How often an open stream asks whether its reader may still read. */
const STANDING_MS = 30_000;
const AUTH = '/api/v1/auth/';

/** What the web API stands on. */
export interface ApiGiven {
  peers: Peers;
  routes: HubFacts['routes'];
  clock: Clock;
  authenticate: Authenticate;
  allowances: Allowances;
  durations: Histogram<'service' | 'route' | 'method' | 'status'>;
}

/** Ends the inner call when the client goes away, so that an event stream nobody reads ends too. */
function untilGone(reply: FastifyReply): AbortController {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  return gone;
}

/** Ends a stream whose reader's session has ended or whose key was removed. */
function watchStanding(clock: Clock, caller: Caller, reply: FastifyReply): void {
  const cancel = clock.every(STANDING_MS, () => {
    caller.demandStanding().catch((error: unknown) => {
      // While the users service does not answer nobody is thrown out; it is asked again.
      if ((error as { status?: number }).status === 401) reply.raw.destroy();
    });
  });
  reply.raw.on('close', cancel);
}

async function identify(
  given: ApiGiven,
  request: FastifyRequest,
  reply: FastifyReply,
  network: string,
): Promise<Caller | undefined> {
  const { allowances, authenticate } = given;
  if (request.url.startsWith(AUTH)) {
    // Who signs in or renews has no token, or an old one that says nothing.
    await allowances.demandSignIn(network, reply);
    if (isForeign(request.headers)) throw problems.crossSite();
    return undefined;
  }
  const caller = await allowances.identify(network, () => authenticate(request));
  await allowances.demandCall(network, caller?.principal, reply);
  return caller;
}

async function handle(given: ApiGiven, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = request.url.split('?', 1)[0] ?? '';
  const service = isPlain(path) ? serviceFor(given.routes, path) : undefined;
  const network = networkOf(request.ip);
  const caller = await identify(given, request, reply, network);
  if (service === undefined) throw problems.unknownPath(`No service answers ${path}.`);
  const { signal } = untilGone(reply);
  const inner = await forward(given.peers, request, { service, path, principal: caller?.principal, network, signal });
  request.answeredBy = { service, route: routeOf(inner) };
  if (caller !== undefined && isEventStream(inner)) watchStanding(given.clock, caller, reply);
  return answer(reply, inner);
}

/** The web API on the process's listener: every call is identified, counted, and handed to the service of its path. */
export async function serveApi(listener: FastifyInstance, given: ApiGiven): Promise<void> {
  await listener.register((edge, _options, done) => {
    edge.decorateRequest('answeredBy', null);
    edge.decorateRequest('arrived', 0);
    edge.addHook('onRequest', (request, _reply, arrived) => {
      request.arrived = given.clock.monotonic();
      arrived();
    });
    edge.removeAllContentTypeParsers();
    edge.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    edge.addHook('onSend', (request, reply, payload, sent) => {
      const { service, route } = request.answeredBy ?? { service: 'gateway', route: 'refused' };
      const labels = { service, route, method: request.method, status: String(reply.statusCode) };
      // Fastify's own elapsedTime stays 0 without its logger.
      given.durations.observe(labels, (given.clock.monotonic() - request.arrived) / 1000);
      if (reply.statusCode === 401) void reply.header('www-authenticate', 'Bearer');
      sent(null, payload);
    });
    edge.route({
      method: ['GET', 'POST', 'PUT', 'DELETE'],
      url: '/api/v1/*',
      exposeHeadRoute: false,
      handler: (request, reply) => handle(given, request, reply),
    });
    done();
  });
}
