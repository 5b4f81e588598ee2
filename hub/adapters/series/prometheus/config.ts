import { Type, type Static } from 'typebox';

/** Settings of a series store that speaks like Prometheus. */
export const PrometheusConfig = Type.Object({
  url: Type.String({
    description: 'Where the query API begins: http://host:9090, http://host:8428, https://mimir/prometheus.',
    default: '',
  }),
  writeUrl: Type.String({
    description: 'Where remote writes go, such as https://mimir/api/v1/push; empty means <url>/api/v1/write.',
    default: '',
  }),
  bearerToken: Type.String({
    description: 'Token sent as bearer, when the store asks for one.',
    secret: true,
    default: '',
  }),
  username: Type.String({ description: 'User, when the store asks for one.', default: '' }),
  password: Type.String({ description: 'Its password.', secret: true, default: '' }),
  headers: Type.Record(Type.String(), Type.String(), {
    description: 'Headers of every request, such as X-Scope-OrgID for a tenant of Mimir.',
    default: {},
  }),
  ca: Type.String({
    description: 'PEM file of the authority that certified the store; empty means the system’s.',
    default: '',
  }),
  prefix: Type.String({
    description: 'What the names of all metrics begin with.',
    default: 'outrider',
    pattern: '^[a-zA-Z][a-zA-Z0-9_]*$',
  }),
  timeoutSeconds: Type.Integer({ description: 'Seconds that the store may take to answer.', default: 20, minimum: 1 }),
});
export type PrometheusConfig = Static<typeof PrometheusConfig>;

const isAddress = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
const carriesSecret = (url: string): boolean => URL.canParse(url) && new URL(url).password !== '';

/** What is wrong with the settings, a sentence each. */
export function faultsOf({ url, writeUrl, bearerToken, username, password }: PrometheusConfig): string[] {
  const faults: string[] = [];
  if (!isAddress(url))
    faults.push('series.url: is no address of a store that speaks like Prometheus. Set it to http://host:9090.');
  if (writeUrl !== '' && !isAddress(writeUrl))
    faults.push('series.writeUrl: is no address. Leave it empty for <series.url>/api/v1/write.');
  if (carriesSecret(url) || carriesSecret(writeUrl))
    faults.push('series.url: must hold no password. Use series.username and series.password.');
  if (bearerToken !== '' && username !== '') faults.push('series: give bearerToken or username, not both.');
  if ((username === '') !== (password === '')) faults.push('series: username and password go together.');
  return faults;
}
