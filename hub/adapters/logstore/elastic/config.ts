import { Type, type Static } from 'typebox';

/** Settings of a log store on Elasticsearch. */
export const ElasticConfig = Type.Object({
  urls: Type.Array(Type.String(), {
    description: 'Some nodes of an Elasticsearch 8 or 9, each http://host:9200 or https://host:9200.',
    default: [],
  }),
  apiKey: Type.String({ description: 'API key, as Elasticsearch gives it encoded.', secret: true, default: '' }),
  username: Type.String({ description: 'User, when there is no API key.', default: '' }),
  password: Type.String({ description: 'Password of that user.', secret: true, default: '' }),
  ca: Type.String({
    description: 'PEM file of the authority that certified the servers; empty means the system’s.',
    default: '',
  }),
  prefix: Type.String({
    description: 'Names of indices and templates begin with it, so that several hubs may share a cluster.',
    default: 'outrider',
    pattern: '^[a-z0-9][a-z0-9_.-]{0,99}$',
  }),
  shards: Type.Integer({ description: 'Shards of the index of a day.', default: 1, minimum: 1, maximum: 64 }),
  replicas: Type.Integer({
    description: 'Copies of each shard beside the first, as far as there are nodes for them.',
    default: 1,
    minimum: 0,
    maximum: 8,
  }),
  timeoutSeconds: Type.Integer({ description: 'Seconds that a server may take to answer.', default: 20, minimum: 1 }),
});
export type ElasticConfig = Static<typeof ElasticConfig>;

function isNode(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** Where the store is, without its secrets. */
export function addressOf({ urls }: Pick<ElasticConfig, 'urls'>): string {
  return `Elasticsearch at ${urls.map((url) => new URL(url).host).join(', ')}`;
}

/** What is wrong with the settings, a sentence each. */
export function faultsOf({ urls, apiKey, username, password }: ElasticConfig): string[] {
  const faults: string[] = [];
  if (urls.length === 0) faults.push('logstore.urls: is missing. Set it to http://host:9200 of some nodes.');
  for (const url of urls.filter((one) => !isNode(one)))
    faults.push(`logstore.urls: "${url.replace(/.*@/, '***@')}" is no http://host:9200 without a user in it`);
  if (apiKey !== '' && username !== '') faults.push('logstore: give an apiKey or a username, not both');
  if ((username === '') !== (password === '')) faults.push('logstore: username and password go together');
  return faults;
}
