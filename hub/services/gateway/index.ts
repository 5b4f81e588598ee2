import { Gauge, Histogram } from 'prom-client';
import { defineService } from '../../service.ts';
import { createAllowances } from './allowance.ts';
import { serveApi } from './api.ts';
import { createAuthenticator } from './authenticate.ts';
import { GatewayConfig } from './config.ts';
import { serveDownloads } from './downloads.ts';
import { setHeaders } from './headers.ts';
import { servePage } from './page.ts';
import { createSharedBuckets } from './token-bucket.ts';

/** The one door: security headers, who is asking, how often, and which service answers. */
export const gateway = defineService({
  name: 'gateway',
  summary: 'The door: authentication, rate limits, routing, and the page.',
  needs: ['cache', 'peers'],
  config: GatewayConfig,
  create({ config, ports, clock, hub, log, metrics }) {
    const { cache, peers } = ports;
    const durations = new Histogram({
      name: 'outrider_http_request_duration_seconds',
      help: 'Time from a call’s arrival to its answer’s first byte, by service and route.',
      labelNames: ['service', 'route', 'method', 'status'] as const,
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [metrics],
    });
    const alone = new Gauge({
      name: 'outrider_gateway_counts_alone',
      help: '1 while this process counts its callers for itself because the cache is away.',
      registers: [metrics],
    });
    alone.set(0);
    const buckets = createSharedBuckets({ cache, clock, log, alone: (is) => alone.set(is ? 1 : 0) });
    return {
      async edge(listener) {
        await setHeaders(listener, hub.publicUrl.startsWith('https:'));
        await serveApi(listener, {
          peers,
          routes: hub.routes,
          clock,
          authenticate: createAuthenticator(peers, clock),
          allowances: createAllowances(config, buckets, clock),
          durations,
        });
        await serveDownloads(listener, hub.downloads);
        const page = config.page === '' ? hub.page : config.page;
        if (page !== '' && page !== 'none') await servePage(listener, page);
      },
    };
  },
});
