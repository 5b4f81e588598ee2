import compress from '@fastify/compress';
import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Histogram } from 'prom-client';
import { defineService } from '../../service.ts';
import type { Principal } from '../../principal.ts';
import { createAuthenticator } from './authenticate.ts';
import { GatewayConfig } from './config.ts';
import { problems } from './errors.ts';
import { forward } from './forward.ts';
import { servePage } from './page.ts';
import { createBuckets, type Buckets } from './token-bucket.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Which service and route answered, for the metrics. */
    answeredBy: { service: string; route: string } | null;
  }
}

/** The page's own files and nothing from elsewhere; charts set sizes by style. */
const CONTENT_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:', 'blob:'],
    connectSrc: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    objectSrc: ["'none'"],
  },
};

function demandAllowance(buckets: Buckets, caller: string, setHeader: (name: string, value: string) => void): void {
  const { allowed, remaining, retryAfter } = buckets.take(caller);
  setHeader('ratelimit', `"default";r=${remaining};t=${retryAfter}`);
  if (!allowed) throw problems.tooManyRequests(`Wait ${retryAfter} s.`, { facts: { retryAfter } });
}

/** Who to count a call for: the person or program, else the address (an IPv6 network as one). */
function callerOf(request: FastifyRequest, principal: Principal | undefined): string {
  if (principal !== undefined) return `user ${principal.user}`;
  return `address ${request.ip.includes('.') ? request.ip : request.ip.split(':').slice(0, 4).join(':')}`;
}

/** The one door: security headers, who is asking, how often, and which service answers. */
export const gateway = defineService({
  name: 'gateway',
  summary: 'The door: authentication, rate limits, routing, and the page.',
  needs: ['peers'],
  config: GatewayConfig,
  create({ config, ports, clock, hub, metrics }) {
    const { peers } = ports;
    const authenticate = createAuthenticator(peers, clock);
    const buckets = createBuckets(config.requestsPerSecond, config.burst, () => clock.monotonic());
    const publicBuckets = createBuckets(5, 30, () => clock.monotonic());
    const durations = new Histogram({
      name: 'outrider_http_request_duration_seconds',
      help: 'Time from a call’s arrival to its answer’s first byte, by service and route.',
      labelNames: ['service', 'route', 'method', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [metrics],
    });

    const api = async (edge: FastifyInstance): Promise<void> => {
      edge.decorateRequest('answeredBy', null);
      edge.removeAllContentTypeParsers();
      edge.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      edge.addHook('onSend', async (request, reply, payload) => {
        const { service, route } = request.answeredBy ?? { service: 'gateway', route: 'refused' };
        durations.observe(
          { service, route, method: request.method, status: String(reply.statusCode) },
          reply.elapsedTime / 1000,
        );
        return payload;
      });
      edge.all('/api/v1/*', async (request, reply) => {
        const principal = await authenticate(request);
        const limits = principal === undefined ? publicBuckets : buckets;
        demandAllowance(limits, callerOf(request, principal), (name, value) => void reply.header(name, value));
        request.answeredBy = await forward({ peers, routes: hub.routes }, request, reply, principal);
        return reply;
      });
    };

    return {
      async edge(listener) {
        await listener.register(helmet, {
          contentSecurityPolicy: CONTENT_POLICY,
          strictTransportSecurity: hub.publicUrl.startsWith('https:') ? { maxAge: 31_536_000 } : false,
          crossOriginEmbedderPolicy: false,
        });
        await listener.register(compress, {
          threshold: 1024,
          encodings: ['gzip'],
          customTypes: /^(text\/(?!event-stream)|application\/(json|problem\+json|javascript)|image\/svg)/,
        });
        await listener.register(api);
        if (config.page !== '') await servePage(listener, config.page);
      },
    };
  },
});
