import type { Clock } from '#sdk';
import type { JWK } from 'jose';
import type { Principal } from '../../principal.ts';
import { KEY_LIFE_MS, newSigningKey, publicKey, signAccess, type SigningKey } from './access-token.ts';
import type { UsersStore } from './store.ts';

/** Signs access tokens with the newest key of the database; older keys stay known until no token of theirs can be alive. */
export function createSigning(store: UsersStore, minutes: number, clock: Clock) {
  let signing: SigningKey | undefined;
  return {
    /** Loads the newest key, and replaces it when it is old. Called at start and now and then. */
    async prepare(): Promise<void> {
      const [newest] = await store.signingKeys();
      if (newest !== undefined && clock.now() - newest.createdMs < KEY_LIFE_MS) {
        signing = newest;
        return;
      }
      const key = await newSigningKey(clock.now());
      await store.addSigningKey(key, clock.now() - 2 * KEY_LIFE_MS);
      signing = key;
    },

    /** What whoever verifies tokens needs. */
    async publicKeys(): Promise<JWK[]> {
      return (await store.signingKeys()).map(publicKey);
    },

    /** A token for a principal, and for how many seconds it is good. */
    async access(principal: Principal): Promise<{ accessToken: string; expiresIn: number }> {
      if (signing === undefined) throw new Error('no signing key: the service has not started');
      return { accessToken: await signAccess(signing, principal, { clock, minutes }), expiresIn: minutes * 60 };
    },
  };
}
export type Signing = ReturnType<typeof createSigning>;
