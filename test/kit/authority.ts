import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createAuthority, openAuthority } from '../../hub/services/ingest/authority.ts';

/** A certificate authority for a test, as a hub has one. */
export interface TestAuthority {
  /** PEM. */
  ca: string;
  /** SHA-256 of the certificate, lower-case hex. */
  fingerprint: string;
  /** Key and chain for a server; `hub.outrider.internal` is always among its names. */
  server(hostnames?: readonly string[]): Promise<{ key: string; cert: string }>;
  /** Key and chain for an agent. */
  agent(id: string, days?: number): Promise<{ key: string; certificate: string }>;
  /** A chain for a public key (DER or PEM). */
  certify(publicKey: Uint8Array | string, id: string, days?: number): Promise<string>;
}

/** Makes an authority; `now` is what its certificates take for the time. */
export async function createTestAuthority(now: () => number = Date.now): Promise<TestAuthority> {
  const authority = await openAuthority(await createAuthority(now()), now);
  const certify = async (publicKey: Uint8Array | string, id: string, days = 30): Promise<string> =>
    (await authority.certifyAgent(publicKey, id, 'test', days)).chain;
  return {
    ca: authority.certificate,
    fingerprint: authority.fingerprint,
    server: (hostnames = ['127.0.0.1', 'localhost']) => authority.certifyHub(hostnames),
    certify,
    async agent(id, days) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
      return { key, certificate: await certify(publicKey, id, days) };
    },
  };
}
