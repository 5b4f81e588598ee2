import { Type, type Static, type TProperties } from 'typebox';

const path = (description: string) => Type.String({ default: '', description });

/** How TLS is spoken to a target. */
export const TlsSettings = Type.Object(
  {
    ca: path('File of the authorities to trust, in PEM; empty: those that Node trusts.'),
    certificate: path('File of the agent’s own certificate for this target, in PEM.'),
    key: path('File of the key of that certificate, in PEM.'),
    serverName: Type.String({ default: '', description: 'Name that the certificate must bear; empty: the host’s.' }),
    verify: Type.Boolean({ default: true, description: 'Refuse a certificate that is not valid for the target.' }),
  },
  { additionalProperties: false, default: {}, description: 'How TLS is spoken.' },
);

/** A secret of a target; `…File` reads it from a file. */
export const secret = (description: string) => Type.String({ default: '', secret: true, description });

const common = {
  name: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'What the target is called; each has a name of its own.',
  }),
  interval: Type.Number({
    default: 0,
    minimum: 0,
    maximum: 86_400,
    description: 'Seconds between two questions; 0: one in each run of the collector.',
  }),
  timeout: Type.Number({
    default: 4,
    minimum: 0.1,
    maximum: 60,
    description: 'Seconds after which the target counts as not answering.',
  }),
  labels: Type.Record(Type.String({ maxLength: 200 }), Type.String({ maxLength: 1000 }), {
    default: {},
    description: 'Attributes that all values of the target get.',
  }),
};

/** The list of targets of a collector; `own` says what a target has beside name, interval, timeout and labels. */
export function targetList<Own extends TProperties>(own: Own) {
  const { name, ...rest } = common;
  return Type.Array(Type.Object({ name, ...own, ...rest }, { additionalProperties: false }), {
    default: [],
    maxItems: 200,
    description: 'What to ask; with none, the collector does not run.',
  });
}

/** What is asked over HTTP, as settings. */
export const httpFields = {
  url: Type.String({
    pattern: '^https?://[^/@\\s]+(/[^\\s]*)?$',
    description: 'Address, `http://…` or `https://…`, without a password.',
  }),
  user: Type.String({ default: '', description: 'User for basic authentication.' }),
  password: secret('Password of that user.'),
  token: secret('Bearer token, instead of a user.'),
  tls: TlsSettings,
};

/** What every target has. */
export interface Target {
  name: string;
  /** Seconds; 0: each run. */
  interval: number;
  /** Seconds. */
  timeout: number;
  labels: Readonly<Record<string, string>>;
}

/** A target that is asked over HTTP. */
export type HttpTarget = Target & Static<ReturnType<typeof Type.Object<typeof httpFields>>>;
