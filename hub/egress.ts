import { lookup as lookupName } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { defineProblems, Problem, reasonOf, systemClock, type GuardedFetch } from '#sdk';
import { Client } from 'undici';
import { isAllowed, parseRange, rangeFault, specialUse, type AddressRange } from './address-ranges.ts';

const problems = defineProblems('egress', {
  invalidRange: { status: 400, title: 'The setting egress.allow is not valid.' },
  invalidAddress: { status: 400, title: 'The address cannot be called.' },
  unknownHost: { status: 502, title: 'The name of the host cannot be resolved.', retryable: true },
  addressRefused: { status: 403, title: 'The hub does not call addresses of this network.' },
  unreachable: { status: 502, title: 'The address did not answer.', retryable: true },
});

/** An address that was looked at. */
interface Address {
  address: string;
  family: number;
}

/** How the guard is set up. */
export interface EgressOptions {
  /** Ranges (CIDR) that may be called although they are not public. */
  allow: readonly string[];
  /** How names become addresses; the system's own way unless a test says otherwise. */
  resolve?(host: string): Promise<readonly Address[]>;
  /** How long a call may take altogether, milliseconds. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;
/** More of an answer is not read: nobody needs it, and a hostile one is endless. */
const ANSWER_LIMIT = 65_536;

function readUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw problems.invalidAddress('It is not a URL.');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw problems.invalidAddress('Only http and https addresses are called.');
  if (url.username !== '' || url.password !== '')
    throw problems.invalidAddress('Name and password do not belong into the address: send them in a header.');
  return url;
}

/** The host without brackets and closing dot; the URL has already made 2130706433 and 0x7f.1 into 127.0.0.1. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

async function addressesOf(host: string, resolve: NonNullable<EgressOptions['resolve']>): Promise<readonly Address[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  try {
    const found = await resolve(host);
    if (found.length > 0) return found;
  } catch (error) {
    throw problems.unknownHost(`“${host}” cannot be resolved: ${reasonOf(error)}.`, { cause: error });
  }
  throw problems.unknownHost(`“${host}” has no address.`);
}

/** Refuses when any address is not public: else a name with two addresses would be tried until the private one answers. */
function checkAddresses(host: string, addresses: readonly Address[], allowed: readonly AddressRange[]): void {
  for (const { address } of addresses) {
    const use = specialUse(address);
    if (use === undefined || isAllowed(address, allowed)) continue;
    const name = host === address ? address : `${host} (${address})`;
    throw problems.addressRefused(
      `${name} is ${use}. If it is meant, add its range to the setting egress.allow of the hub, for example "${address}/${address.includes(':') ? 128 : 32}".`,
      { facts: { address } },
    );
  }
}

/** Answers every question of the connection with what was checked, so that a second answer of the name server counts for nothing. */
function pinned(addresses: readonly Address[]): LookupFunction {
  return (_host, options, done) => {
    const [first] = addresses;
    if (options.all === true) done(null, [...addresses]);
    else if (first !== undefined) done(null, first.address, first.family);
    else done(new Error('no address'), '', 0);
  };
}

async function readStart(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size >= ANSWER_LIMIT) break; // Leaving the loop ends the stream.
  }
  return Buffer.concat(parts).subarray(0, ANSWER_LIMIT).toString('utf8');
}

/** Makes the only way by which the hub calls an address that a user gave: resolve, check, pin; redirects are answered, not followed. */
export function createEgress(options: EgressOptions): GuardedFetch {
  const allowed = options.allow.map((text) => {
    const range = parseRange(text);
    if (range === undefined) throw problems.invalidRange(rangeFault(text));
    return range;
  });
  const resolve =
    options.resolve ?? ((host: string): Promise<readonly Address[]> => lookupName(host, { all: true, verbatim: true }));
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  return async (text, { method, headers, body, signal }) => {
    const url = readUrl(text);
    const host = hostOf(url);
    const addresses = await addressesOf(host, resolve);
    checkAddresses(host, addresses, allowed);
    const client = new Client(url.origin, {
      connect: { lookup: pinned(addresses), timeout: timeoutMs },
      maxHeaderSize: 16_384,
    });
    // A timer of ours: Node 20 may collect `AbortSignal.timeout` inside `AbortSignal.any`, and the call would wait for ever.
    const given = new AbortController();
    const over = systemClock.after(timeoutMs, () => given.abort());
    try {
      const reply = await client.request({
        method: method as 'POST',
        path: `${url.pathname}${url.search}`,
        headers,
        body: method === 'GET' || method === 'HEAD' ? undefined : body,
        signal: AbortSignal.any([signal, given.signal]),
      });
      return { status: reply.statusCode, text: await readStart(reply.body) };
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw problems.unreachable(`${url.host}: ${reasonOf(error)}`, { cause: error });
    } finally {
      over();
      client.destroy().catch(() => undefined); // It was used once, and nothing waits for its end.
    }
  };
}
