import { nkeys } from '@nats-io/transport-node';

/** Seeds of the keys by which the servers know this installation. */
export interface NatsSeeds {
  /** Signs what agents may do. */
  issuer: string;
  /** The hub in the account of agents. */
  hub: string;
  /** The hub in the system account: it is asked who may come in, and cuts off. */
  system: string;
}

/** The account that agents and hub share on the servers, and the system account. */
export const AGENTS_ACCOUNT = 'OUTRIDER_AGENTS';
const SYSTEM_ACCOUNT = 'OUTRIDER_SYSTEM';

const seedOf = (pair: nkeys.KeyPair): string => Buffer.from(pair.getSeed()).toString('latin1');

/** The key of a seed. */
export const keyOf = (seed: string): nkeys.KeyPair => nkeys.fromSeed(Buffer.from(seed, 'latin1'));

/** Makes new keys. */
export const makeSeeds = (): NatsSeeds => ({
  issuer: seedOf(nkeys.createAccount()),
  hub: seedOf(nkeys.createUser()),
  system: seedOf(nkeys.createUser()),
});

/** What belongs into the settings of each server, public keys only. */
export function serverSettings({ issuer, hub, system }: NatsSeeds): string {
  const [issuerKey, hubKey, systemKey] = [issuer, hub, system].map((seed) => keyOf(seed).getPublicKey());
  return `# Agents of Outrider: who they are is asked of the hub. Public keys only; nothing here is secret.
accounts {
  ${AGENTS_ACCOUNT} {
    jetstream: enabled
    users: [ { nkey: ${hubKey} } ]
  }
  ${SYSTEM_ACCOUNT} {
    users: [ { nkey: ${systemKey} } ]
  }
}
system_account: ${SYSTEM_ACCOUNT}
authorization {
  auth_callout {
    issuer: ${issuerKey}
    account: ${SYSTEM_ACCOUNT}
    # Users that the server knows by itself: the hub, and whoever else uses this server.
    auth_users: [ ${hubKey}, ${systemKey} ]
  }
}
`;
}
