import { Type, type Static } from 'typebox';

/** Settings of the bus on NATS JetStream. */
export const NatsConfig = Type.Object({
  servers: Type.Array(
    Type.String({
      pattern: '^(nats|tls)://[^\\s/]+$',
      form: 'an address like nats://host:4222 or tls://host:4222',
    }),
    {
      description:
        'Addresses of the servers: nats://host:4222, or tls://host:4222. Each needs JetStream with sync_interval: always.',
      default: [],
    },
  ),
  user: Type.String({ description: 'User, when the server asks for one.', default: '' }),
  password: Type.String({ description: 'Its password.', default: '', secret: true }),
  token: Type.String({ description: 'Token, when the server asks for one instead.', default: '', secret: true }),
  credentials: Type.String({
    description: 'File of credentials (.creds) with JWT and seed, instead of both.',
    default: '',
  }),
  ca: Type.String({
    description: 'PEM file of the authority that certified the servers; empty means the system’s.',
    default: '',
  }),
  certificate: Type.String({
    description: 'PEM file of this hub’s own certificate, when the servers ask for one.',
    default: '',
  }),
  key: Type.String({ description: 'PEM file of its private key.', default: '' }),
  prefix: Type.String({
    description: 'First word of all subjects and streams; hubs that share a server have one each.',
    default: 'outrider',
    pattern: '^[A-Za-z0-9_-]{1,64}$',
  }),
  replicas: Type.Integer({ description: 'Servers that keep each message.', default: 1, minimum: 1, maximum: 5 }),
  maxGb: Type.Number({
    description: 'Gigabytes of messages over which nothing more is taken; agents keep theirs until there is room.',
    default: 8,
    exclusiveMinimum: 0,
  }),
  keepMinutes: Type.Number({
    description: 'Minutes that messages are kept after everybody had them, to be replayed.',
    default: 5,
    minimum: 1,
  }),
});
export type NatsConfig = Static<typeof NatsConfig>;
