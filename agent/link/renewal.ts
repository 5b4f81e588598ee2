import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Identity } from './identity.ts';

const makeKeys = promisify(generateKeyPair);

/** What a renewal stands on. */
export interface RenewalGiven {
  current(): Identity;
  /** Keeps the new identity; may throw when the disk does not take it. */
  renewed(identity: Identity): void;
  clock: Clock;
  log: Logger;
}

/** Gets a new certificate before the old one ends; one wish at a time. */
export interface Renewal {
  /** The public key to ask with, DER, when it is time: its private half exists nowhere else. */
  wish(): Promise<Uint8Array | undefined>;
  /** Takes the hub's answer. The old identity stays when the new one is of no use. */
  take(chain: string): void;
}

const dueTimes = new WeakMap<Identity, number>();

/** When two thirds of the certificate's life are over, milliseconds since 1970. To read it takes a millisecond, and it is asked for with each batch. */
function dueMs(identity: Identity): number {
  const known = dueTimes.get(identity);
  if (known !== undefined) return known;
  const { validFrom, validTo } = new X509Certificate(identity.certificate);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  const due = from + ((to - from) * 2) / 3;
  dueTimes.set(identity, due);
  return due;
}

/** Makes the renewal of one connection. */
export function createRenewal({ current, renewed, clock, log }: RenewalGiven): Renewal {
  let key: string | undefined;
  return {
    async wish() {
      if (key !== undefined || clock.now() <= dueMs(current())) return undefined;
      const { publicKey, privateKey } = await makeKeys('ec', { namedCurve: 'P-256' });
      key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      return publicKey.export({ type: 'spki', format: 'der' });
    },
    take(chain) {
      if (key === undefined) return;
      try {
        if (!new X509Certificate(chain).checkPrivateKey(createPrivateKey(key)))
          throw new Error('it is not for the key that was asked for');
        renewed({ ...current(), key, certificate: chain });
      } catch (error) {
        // A full disk or a hub gone wrong: there is a third of its life left to ask again, with the next connection.
        log.warn('the new certificate could not be kept; the old one stays', { reason: reasonOf(error) });
        return;
      }
      key = undefined;
    },
  };
}
