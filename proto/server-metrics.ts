import { counter, gauge, type MetricInfo } from './metric-info.ts';

/**
 * What servers say of themselves when they are asked; each series bears outrider.target. Names and attributes are those of the receivers of
 * OpenTelemetry's collector for the same server, in base units; what these lack follows their grammar.
 */
export const SERVER_METRICS = {
  // nginx: state = active reading writing waiting
  'nginx.connections_accepted': counter('{connection}', 'Connections that nginx accepted.'),
  'nginx.connections_handled': counter(
    '{connection}',
    'Connections that nginx handled; fewer than accepted when it was at its limit.',
  ),
  'nginx.connections_current': gauge(
    '{connection}',
    'sum',
    'Connections, by state; active ones are the sum of the others.',
  ),
  'nginx.requests': counter('{request}', 'Requests that clients made.'),
} as const satisfies Record<string, MetricInfo>;
