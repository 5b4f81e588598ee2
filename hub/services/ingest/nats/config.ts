import { Type, type Static } from 'typebox';

/** Settings of NATS for agents. */
export const NatsConfig = Type.Object(
  {
    servers: Type.Array(
      Type.String({
        pattern: '^(nats|tls)://[^\\s/@]+$',
        form: 'an address like tls://host:4222, without user and password',
      }),
      {
        description:
          'NATS servers over which agents may send: tls://host:4222. Empty: gRPC alone. What belongs into their settings prints outrider-hub nats-config.',
        default: [],
      },
    ),
    ca: Type.String({
      description: 'PEM file of the authority that certified the servers; empty means the system’s.',
      default: '',
    }),
    certificate: Type.String({
      description: 'PEM file of this hub’s own certificate, when the servers ask for one.',
      default: '',
    }),
    key: Type.String({ description: 'PEM file of its private key.', default: '' }),
    replicas: Type.Integer({ description: 'Servers that keep each batch.', default: 1, minimum: 1, maximum: 5 }),
    maxGb: Type.Number({
      description: 'Gigabytes of waiting batches over which no more are taken; agents keep theirs until there is room.',
      default: 4,
      exclusiveMinimum: 0,
    }),
  },
  { additionalProperties: false, default: {} },
);
export type NatsConfig = Static<typeof NatsConfig>;
