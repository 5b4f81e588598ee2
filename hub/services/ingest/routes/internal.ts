import { Type } from 'typebox';
import type { ServiceApp } from '../../../http.ts';
import type { Peers } from '../../../ports/peers.ts';
import type { Authority } from '../authority.ts';
import type { JoinTokens } from '../join-tokens.ts';
import { CreatedToken, Wish } from './schemas.ts';

/** What these routes stand on. */
export interface InternalRoutesGiven {
  tokens: JoinTokens;
  authority(): Authority;
  hostnames: readonly string[];
  peers: Peers;
  /** What belongs into the settings of NATS servers. */
  natsSettings(): Promise<string>;
}

const Pair = Type.Object({ key: Type.String(), cert: Type.String() });
const FIRST_ORG = { method: 'GET', path: '/internal/users/first-org' } as const;

/** What the hub's own listener and its commands ask. */
export function internalRoutes(
  app: ServiceApp,
  { tokens, authority, hostnames, peers, natsSettings }: InternalRoutesGiven,
): void {
  const config = { role: 'service' } as const;
  app.get('/internal/ingest/certificate', { config, schema: { response: { 200: Pair } } }, () =>
    authority().certifyHub(hostnames),
  );
  const text = Type.Object({ text: Type.String() });
  app.post('/internal/ingest/nats', { config, schema: { response: { 200: text } } }, async () => ({
    text: await natsSettings(),
  }));
  app.post(
    '/internal/ingest/tokens',
    { config, schema: { body: Wish, response: { 200: CreatedToken } } },
    async ({ body }) => {
      const { org } = await peers.json<{ org: string }>('users', FIRST_ORG);
      return tokens.create(org, body);
    },
  );
}
