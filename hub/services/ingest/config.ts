import { Type, type Static } from 'typebox';
import { NatsConfig } from './nats/config.ts';

/** Settings of the ingest service. */
export const IngestConfig = Type.Object({
  port: Type.Integer({
    description: 'Port of the agents’ listener (gRPC over mutual TLS).',
    default: 4320,
    minimum: 1,
    maximum: 65535,
  }),
  advertise: Type.String({
    description:
      'Address by which agents reach that listener, when a balancer or another port stands before it: outrider.example.org:443. Empty: what listen, advertise and ingest.port say.',
    default: '',
    pattern: '^$|^[^\\s/]+:[0-9]{1,5}$',
  }),
  certificateDays: Type.Integer({
    description: 'Days that an agent’s certificate is valid.',
    default: 30,
    minimum: 1,
    maximum: 365,
  }),
  nats: NatsConfig,
});
export type IngestConfig = Static<typeof IngestConfig>;
