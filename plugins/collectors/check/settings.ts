import { Type, type Static } from 'typebox';
import { targetList, TlsSettings, type Target } from '../../targets/index.ts';

const fields = {
  type: Type.Enum(['http', 'tcp', 'tls', 'dns'], { default: 'http', description: 'What is checked: `http`, `tcp`, `tls` or `dns`.' }), // prettier-ignore
  address: Type.String({
    minLength: 1,
    maxLength: 2000,
    pattern: '^(https?://[^/@\\s]+(/\\S*)?|[^/@\\s:]+|(\\[[0-9a-fA-F:]+\\]|[^/@\\s:]+):\\d{1,5})$',
    description: 'An URL for `http`, `host:port` for `tcp` and `tls`, a name for `dns`.',
  }),
  method: Type.Enum(['GET', 'HEAD'], { default: 'GET', description: 'Method of `http`: `GET` or `HEAD`.' }),
  expectedStatus: Type.Array(
    Type.String({ pattern: '^[1-5](\\d\\d|xx)$', form: 'a status such as 200, or a class of them such as 2xx' }),
    {
      default: ['2xx'],
      minItems: 1,
      maxItems: 50,
      description: 'Statuses that `http` may answer, such as `204` or `2xx`.',
    },
  ),
  contains: Type.String({ default: '', maxLength: 1000, description: 'Text that the answer to `http` must hold.' }),
  redirects: Type.Integer({
    default: 5,
    minimum: 0,
    maximum: 20,
    description: 'How many redirects `http` follows; they lead to `http` and `https` only.',
  }),
  maxBytes: Type.Integer({
    default: 1_000_000,
    minimum: 0,
    maximum: 50_000_000,
    description: 'Bytes of an answer that are read; the text is looked for in these.',
  }),
  minDays: Type.Integer({
    default: 7,
    minimum: 0,
    maximum: 3650,
    description: 'Days for which a certificate must still be valid, for `tls` and `https`.',
  }),
  tls: TlsSettings,
};

/** The targets of `check`, as settings. */
export const checkTargets = targetList(fields);

/** One thing to check. */
export type CheckTarget = Target & Static<ReturnType<typeof Type.Object<typeof fields>>>;
