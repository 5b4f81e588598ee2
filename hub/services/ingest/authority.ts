import 'reflect-metadata';
import { createHash, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { HUB_SERVER_NAME } from '#proto/enrolment.ts';
import * as x509 from '@peculiar/x509';
import { problems } from './errors.ts';

x509.cryptoProvider.set(webcrypto as never);

type CryptoKey = webcrypto.CryptoKey;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Clocks of agents may be behind by this much without refusing a fresh certificate. */
const BACKDATE_MS = 3_600_000;
const CLIENT = '1.3.6.1.5.5.7.3.2';
const SERVER = '1.3.6.1.5.5.7.3.1';

/** The authority's certificate and private key, PEM. */
export interface AuthorityFiles {
  certificate: string;
  privateKey: string;
}

/** A certificate for an agent and what identifies it. */
export interface AgentCertificate {
  chain: string;
  serial: string;
  endsMs: number;
}

/** Signs certificates of one installation. */
export interface Authority {
  certificate: string;
  /** SHA-256 of the certificate (DER), lower-case hex: what join tokens carry. */
  fingerprint: string;
  /** Certifies a P-256 public key (SubjectPublicKeyInfo, PEM or DER) for an agent of an org. */
  certifyAgent(publicKey: string | Uint8Array, agent: string, org: string, days: number): Promise<AgentCertificate>;
  /** A fresh key and certificate for the hub's own listeners. */
  certifyHub(hostnames: readonly string[]): Promise<{ key: string; cert: string }>;
}

const serialNumber = (): string => `00${randomBytes(15).toString('hex')}`;

async function pemOf(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}

/** Makes a new authority for ten years. */
export async function createAuthority(nowMs: number): Promise<AuthorityFiles> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=Outrider authority',
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + 3650 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys: keys as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString('pem'), privateKey: await pemOf(keys.privateKey as CryptoKey) };
}

/** The DER of a P-256 public key; anything else is refused. */
function p256Der(publicKey: string | Uint8Array): Buffer {
  try {
    const key =
      typeof publicKey === 'string'
        ? createPublicKey({ key: publicKey, format: 'pem', type: 'spki' })
        : createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key.export({ type: 'spki', format: 'der' });
  } catch {
    // The sentence below says what was wanted.
  }
  throw problems.badKey();
}

function subjectNames(hostnames: readonly string[]): x509.JsonGeneralNames {
  const isAddress = (name: string): boolean => /^[\d.]+$|:/.test(name);
  return [HUB_SERVER_NAME, ...hostnames].map((value) => ({
    type: isAddress(value) ? ('ip' as const) : ('dns' as const),
    value,
  }));
}

/** Opens an authority for signing. `now` gives milliseconds since 1970. */
export async function openAuthority(files: AuthorityFiles, now: () => number): Promise<Authority> {
  const issuer = new x509.X509Certificate(files.certificate);
  const pkcs8 = x509.PemConverter.decodeFirst(files.privateKey);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']);
  const issue = (wanted: {
    subject: x509.JsonName;
    publicKey: CryptoKey;
    days: number;
    usage: string;
    names?: x509.JsonGeneralNames;
  }) => {
    const notAfter = Math.min(now() + wanted.days * DAY_MS, issuer.notAfter.getTime());
    return x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: wanted.subject,
      issuer: issuer.subject,
      notBefore: new Date(now() - BACKDATE_MS),
      notAfter: new Date(notAfter),
      signingAlgorithm: ALGORITHM,
      publicKey: wanted.publicKey as never,
      signingKey: signingKey as never,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([wanted.usage], true),
        ...(wanted.names === undefined ? [] : [new x509.SubjectAlternativeNameExtension(wanted.names)]),
      ],
    });
  };
  return {
    certificate: files.certificate,
    fingerprint: createHash('sha256').update(Buffer.from(issuer.rawData)).digest('hex'),
    async certifyAgent(publicKey, agent, org, days) {
      const key = await webcrypto.subtle.importKey('spki', p256Der(publicKey), ALGORITHM, true, ['verify']);
      const certificate = await issue({
        subject: [{ CN: [agent] }, { O: [org] }],
        publicKey: key as CryptoKey,
        days,
        usage: CLIENT,
      });
      const chain = `${certificate.toString('pem')}\n${files.certificate}\n`;
      return { chain, serial: certificate.serialNumber, endsMs: certificate.notAfter.getTime() };
    },
    async certifyHub(hostnames) {
      const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const names = subjectNames(hostnames);
      const certificate = await issue({
        subject: [{ CN: [HUB_SERVER_NAME] }],
        publicKey: keys.publicKey as CryptoKey,
        days: 90,
        usage: SERVER,
        names,
      });
      return {
        key: await pemOf(keys.privateKey as CryptoKey),
        cert: `${certificate.toString('pem')}\n${files.certificate}\n`,
      };
    },
  };
}
