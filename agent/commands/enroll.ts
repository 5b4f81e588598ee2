import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls, type DetailedPeerCertificate } from 'node:tls';
import { EnrolReply, JoinToken, readJoinToken, type EnrolRequest } from '#proto/enrolment.ts';
import { openDataFolder, reasonOf } from '#sdk';
import { Value } from 'typebox/value';
import { problems } from '../errors.ts';
import { keepIdentity, readIdentity } from '../link/identity.ts';
import { openTunnel, proxyFor } from '../link/proxy.ts';

const TIMEOUT_MS = 20_000;

/** How to enrol. */
export interface EnrolOptions {
  dataFolder: string;
  /** The join token's text. */
  token: string;
  labels: Readonly<Record<string, string>>;
  /** Throws an identity away that is there already. */
  force: boolean;
  /** PEM of authorities to trust where a proxy with a certificate of its own stands before the hub; those of the machine when absent. */
  trusted?: string | undefined;
  /** Where HTTPS_PROXY and NO_PROXY stand; none when absent. */
  env?: Readonly<Record<string, string | undefined>>;
}

/** A connection to the hub for TLS to go over, through a proxy if there is one. */
type Dial = (url: URL) => Promise<Socket>;

function dialer(env: NonNullable<EnrolOptions['env']>): Dial {
  return async (url) => {
    const target = { host: url.hostname, port: Number(url.port || 443) };
    const proxy = proxyFor(url.hostname, env);
    return proxy === undefined
      ? connectPlain({ ...target, host: target.host.replace(/^\[|\]$/g, '') })
      : openTunnel(proxy, target, TIMEOUT_MS);
  };
}

const nameOf = ({ hostname: host }: URL): string | undefined => (/^[\d.:[\]]+$/.test(host) ? undefined : host);

const NO_TOKEN =
  'That is no join token: one begins with orj_ and is one long word. Copy the whole word that outrider-hub token create printed.';

const OPEN_TO_ALL =
  'The token names an address without TLS that is not on this machine, so that anyone could read along. Give the hub a name with --advertise and make a new token.';

const fingerprintOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex');

function unreachable(url: URL, error: unknown): Error {
  const what = `${url.host} cannot be reached: ${reasonOf(error)}.`;
  return problems.unreachable(`${what} Make sure that the hub is running there and that no firewall is in between.`, {
    cause: error,
  });
}

/** The certificate of the token's authority, taken from the hub's own chain; undefined where somebody else's is shown, as by a proxy. */
async function authorityOf(url: URL, token: JoinToken, dial: Dial): Promise<string | undefined> {
  const under = await dial(url).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  return new Promise((resolve, reject) => {
    // Nothing is believed yet: only the authority whose fingerprint the token names is taken from this connection.
    const socket = connectTls(
      {
        socket: under,
        servername: nameOf(url),
        rejectUnauthorized: false,
        timeout: TIMEOUT_MS,
      },
      () => {
        const seen = new Set<string>();
        let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
        while (at?.raw !== undefined && !seen.has(at.fingerprint256)) {
          seen.add(at.fingerprint256);
          if (fingerprintOf(at.raw) === token.ca) {
            socket.destroy();
            return resolve(new X509Certificate(at.raw).toString());
          }
          at = at.issuerCertificate;
        }
        socket.destroy();
        resolve(undefined);
      },
    );
    socket.on('error', (error) => reject(unreachable(url, error)));
    socket.on('timeout', () => socket.destroy(new Error('no answer within 20 s')));
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

/** Says that a certificate is not to be trusted; what else goes wrong is no matter of trust. */
const DISTRUST = /CERT|SELF_SIGNED|VERIFY|ISSUER/;

function refusal(url: URL, error: unknown): Error {
  if (!DISTRUST.test(String((error as { code?: unknown }).code))) return unreachable(url, error);
  const shown = `${url.host} does not show the certificate authority that the token names, nor a certificate that this machine trusts (${reasonOf(error)}).`;
  return problems.wrongHub(
    `${shown} Make sure that the address is right and make a new token; where a proxy has a certificate of an authority of your own, name that one with --ca.`,
    { cause: error },
  );
}

async function post(
  url: URL,
  body: EnrolRequest,
  { ca, dial }: { ca: string | undefined; dial: Dial },
): Promise<{ status: number; text: string }> {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const options = { method: 'POST', headers, timeout: TIMEOUT_MS };
  const under = url.protocol === 'http:' ? undefined : await dial(url);
  const over = () => connectTls({ socket: under, host: url.hostname, servername: nameOf(url), ca });
  return new Promise((resolve, reject) => {
    const call = under === undefined ? plain(url, options) : secure(url, { ...options, createConnection: over });
    call.on('response', (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.on('end', () => resolve({ status: reply.statusCode ?? 500, text: Buffer.concat(parts).toString('utf8') }));
      reply.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 20 s')));
    call.on('error', (error) => reject(refusal(url, error)));
    call.end(text);
  });
}

function readReply(status: number, text: string, token: JoinToken): EnrolReply {
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    throw problems.refused(`The hub answered ${status} in a way that cannot be read. Is that address a hub?`);
  }
  if (status !== 201) {
    const { title = '', detail = '' } = reply as { title?: string; detail?: string };
    throw problems.refused(title === detail ? title : `${title} ${detail}`);
  }
  if (!Value.Check(EnrolReply, reply))
    throw problems.refused('The hub’s answer lacks what an agent needs. Is it of another version?');
  if (fingerprintOf(new X509Certificate(reply.ca).raw) !== token.ca)
    throw problems.wrongHub('The hub answered with another certificate authority than the token names.');
  return reply;
}

/** The token that a text holds, if an agent can do something with it. */
function tokenOf(text: string): { token: JoinToken; base: URL } {
  if (text === '')
    throw problems.noToken(
      'Give a join token on standard input or in OUTRIDER_JOIN_TOKEN. The hub makes one: on its page (Hosts, Add a host), or with outrider-hub token create.',
    );
  const token = readJoinToken(text);
  if (!Value.Check(JoinToken, token) || !URL.canParse(token.url)) throw problems.badToken(NO_TOKEN);
  const base = new URL(token.url);
  if (base.protocol !== 'https:' && !isLoopback(base.hostname)) throw problems.wrongHub(OPEN_TO_ALL);
  return { token, base };
}

/** The PEM of a file with certificates of authorities. */
export function readAuthority(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    new X509Certificate(text);
    return text;
  } catch (error) {
    throw problems.badAuthority(`${path} cannot be read as a certificate in PEM: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

/** Trades a join token for an identity and keeps it. Returns what to tell the operator. */
export async function enroll(options: EnrolOptions): Promise<string> {
  const { dataFolder, token: text, labels, force, trusted, env = {} } = options;
  const there = force ? undefined : readIdentity(dataFolder);
  if (there !== undefined) {
    const unused = text === '' ? '' : 'The join token was not used. ';
    return `already enrolled as ${there.agentId}, so nothing was done. ${unused}To join anew, as another agent, stop this one and run: outrider-agent enroll --force --data ${dataFolder}\n`;
  }
  const { token, base } = tokenOf(text);
  const dial = dialer(env);
  const folder = openDataFolder(dataFolder, 'agent', 1);
  try {
    const ca = base.protocol === 'https:' ? ((await authorityOf(base, token, dial)) ?? trusted) : undefined;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const body = {
      token: text,
      hostname: hostname(),
      labels: { ...labels },
      publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    };
    const { status, text: answer } = await post(new URL('/api/v1/agents/enroll', base), body, { ca, dial });
    const reply = readReply(status, answer, token);
    keepIdentity(dataFolder, {
      agentId: reply.agentId,
      link: reply.link,
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      certificate: reply.certificate,
      ca: reply.ca,
    });
    return `enrolled as ${reply.resourceName} (${reply.agentId}); start it with: outrider-agent run --data ${dataFolder}\n`;
  } finally {
    folder.close();
  }
}
