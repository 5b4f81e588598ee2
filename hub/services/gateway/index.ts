import { Histogram } from 'prom-client';
import { defineService } from '../../service.ts';
import { createAllowances } from './allowance.ts';
import { serveApi } from './api.ts';
import { createAuthenticator } from './authenticate.ts';
import { GatewayConfig } from './config.ts';
import { setHeaders } from './headers.ts';
import { servePage } from './page.ts';

/** The one door: security headers, who is asking, how often, and which service answers. */
export const gateway = defineService({
  name: 'gateway',
  summary: 'The door: authentication, rate limits, routing, and the page.',
  needs: ['peers'],
  config: GatewayConfig,
  create({ config, ports, clock, hub, metrics }) {
    const { peers } = ports;
    const durations = new Histogram({
      name: 'outrider_http_request_duration_seconds',
      help: 'Time from a call’s arrival to its answer’s first byte, by service and route.',
      labelNames: ['service', 'route', 'method', 'status'] as const,
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [metrics],
    });
    return {
      async edge(listener) {
        await setHeaders(listener, hub.publicUrl.startsWith('https:'));
        await serveApi(listener, {
          peers,
          routes: hub.routes,
          clock,
          authenticate: createAuthenticator(peers, clock),
          allowances: createAllowances(config, clock),
          durations,
        });
        const page = config.page === '' ? hub.page : config.page;
        if (page !== '' && page !== 'none') await servePage(listener, page);
      },
    };
  },
});
