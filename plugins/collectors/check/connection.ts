import { lookup } from 'node:dns/promises';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { VERSION, type Connection } from '#sdk';
import { failureOf, problems, tlsOptions } from '../../targets/index.ts';
import type { Outcome } from './outcome.ts';
import type { CheckTarget } from './settings.ts';

/** Host and port of `host:port`; brackets of an IPv6 address are taken off. */
function placeOf(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  if (colon < 0) throw problems.notUnderstood(`${address} has no port: write host:port`);
  return { host: address.slice(0, colon).replaceAll(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

/** What is to be said of the certificate of an open connection that was made whatever it is. */
function certificateOf(socket: TLSSocket, host: string): Outcome['certificate'] {
  const certificate = socket.getPeerCertificate();
  const named = checkServerIdentity(host, certificate)?.message;
  const fault = socket.authorized ? undefined : (named ?? String(socket.authorizationError));
  return { endsAt: Date.parse(certificate.valid_to), ...(fault === undefined ? {} : { fault }) };
}

/** Opens a connection and closes it. */
function checkTcp({ address }: CheckTarget, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain({ ...placeOf(address), signal });
    socket.once('error', reject);
    socket.once('connect', () => (socket.destroy(), resolve({})));
  });
}

function checkTls({ address, tls }: CheckTarget, signal: AbortSignal): Promise<Outcome> {
  const { host, port } = placeOf(address);
  const name = tls.serverName === '' ? host : tls.serverName;
  return new Promise((resolve, reject) => {
    // Looked at whatever it is, so that its end is told of an untrusted one too.
    const socket = connectTls({ host, port, ...tlsOptions(tls, host), rejectUnauthorized: false });
    const end = (): void => void socket.destroy(problems.late());
    signal.addEventListener('abort', end, { once: true });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve({ certificate: certificateOf(socket, name) });
      signal.removeEventListener('abort', end);
      socket.destroy();
    });
  });
}

function get(url: URL, { method, tls }: CheckTarget, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = { 'user-agent': `outrider-agent/${VERSION}`, accept: '*/*' };
  const options = { method, headers, signal, agent: false as const };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? tlsRequest(url, { ...options, ...tlsOptions(tls), rejectUnauthorized: false }, resolve)
        : plainRequest(url, options, resolve);
    request.once('error', reject).end();
  });
}

/** Reads up to so many bytes; what is beyond is left. */
async function firstBytes(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  if (maxBytes > 0)
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= maxBytes) break;
    }
  answer.destroy();
  return Buffer.concat(parts, Math.min(bytes, maxBytes));
}

/** Where a redirect leads; only to HTTP, for a server must not make the agent read a file. */
function redirectOf(answer: IncomingMessage, url: URL): URL | undefined {
  const { statusCode: status = 0, headers } = answer;
  if (status < 300 || status > 399 || headers.location === undefined) return undefined;
  const next = URL.parse(headers.location, url.href);
  if (next === null || !/^https?:$/.test(next.protocol)) throw problems.refused('a redirect leads to what is no HTTP');
  return next;
}

async function checkHttp(target: CheckTarget, signal: AbortSignal): Promise<Outcome> {
  let url = new URL(target.address);
  let certificate: Outcome['certificate'];
  for (let left = target.redirects; ; left -= 1) {
    const answer = await get(url, target, signal);
    if (url.protocol === 'https:') {
      const name = target.tls.serverName === '' ? url.hostname.replaceAll(/^\[|\]$/g, '') : target.tls.serverName;
      certificate ??= certificateOf(answer.socket as TLSSocket, name);
    }
    const next = target.redirects === 0 ? undefined : redirectOf(answer, url);
    if (next !== undefined && left > 0) {
      answer.destroy();
      url = next;
      continue;
    }
    if (next !== undefined) throw problems.refused(`more than ${target.redirects} redirects`);
    const body = await firstBytes(answer, target.maxBytes);
    return {
      status: answer.statusCode ?? 0,
      bytes: body.length,
      ...(target.contains === '' ? {} : { isFound: body.includes(target.contains) }),
      ...(certificate === undefined ? {} : { certificate }),
    };
  }
}

const CHECKS: Readonly<Record<CheckTarget['type'], (target: CheckTarget, signal: AbortSignal) => Promise<Outcome>>> = {
  http: checkHttp,
  tcp: checkTcp,
  tls: checkTls,
  dns: async ({ address }) => ({ addresses: (await lookup(address, { all: true })).length }),
};

/** Connects anew for each check: what is checked is also whether that goes. The question is the type, the answer an Outcome. */
export function connectCheck(target: CheckTarget): Connection {
  return {
    async ask(_type, signal) {
      try {
        return JSON.stringify(await CHECKS[target.type](target, signal));
      } catch (error) {
        return JSON.stringify({ fault: failureOf(error) } satisfies Outcome);
      }
    },
    close() {},
  };
}
