import { systemClock } from '#sdk';
import { DEADLINE_HEADER, timeLeft } from '../../../call-context.ts';
import { PRINCIPAL_HEADER, writePrincipal, type ServiceApp } from '../../../http.ts';
import {
  peerProblems as problems,
  peersOver,
  type PeerReply,
  type PeerRequest,
  type Peers,
} from '../../../ports/peers.ts';

/** Peers of one process: calls are injected into the sister's app, with no socket between. */
export interface LocalPeers extends Peers {
  /** Makes a service callable under its name. */
  attach(service: string, app: ServiceApp): void;
  has(service: string): boolean;
}

/** Makes the peers of one process. */
export function createLocalPeers(): LocalPeers {
  const apps = new Map<string, ServiceApp>();
  const inject = async (app: ServiceApp, request: PeerRequest, leftMs: number): Promise<PeerReply> => {
    const { principal, requestId } = request;
    const reply = await app.inject({
      method: request.method,
      url: request.query ? `${request.path}?${request.query}` : request.path,
      headers: {
        ...request.headers,
        [DEADLINE_HEADER]: String(Math.floor(leftMs)),
        ...(principal === undefined ? {} : { [PRINCIPAL_HEADER]: writePrincipal(principal) }),
        ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
      },
      payload:
        typeof request.body === 'string' || request.body === undefined ? request.body : Buffer.from(request.body),
      payloadAsStream: true,
      signal: request.signal,
    });
    return { status: reply.statusCode, headers: reply.headers as PeerReply['headers'], body: reply.stream() };
  };
  const call = async (service: string, request: PeerRequest): Promise<PeerReply> => {
    const app = apps.get(service);
    if (app === undefined) throw problems.unknownService(`No service "${service}" runs in this process.`);
    const leftMs = timeLeft(request.deadlineMs);
    if (leftMs <= 0) throw problems.late(`The time for the call was over before ${service} was asked.`);
    request.signal?.throwIfAborted();
    const given = new AbortController();
    // Not at once: an injection whose signal aborts before it has begun throws where nobody can catch it.
    request.signal?.addEventListener('abort', () => setImmediate(() => given.abort()), { once: true });
    let over: () => void = () => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      over = systemClock.after(leftMs, () => {
        reject(problems.late(`${service} did not answer within ${Math.round(leftMs)} ms.`));
        given.abort();
      });
    });
    try {
      return await Promise.race([inject(app, { ...request, signal: given.signal }, leftMs), late]);
    } finally {
      over();
    }
  };
  return { ...peersOver(call), attach: (service, app) => void apps.set(service, app), has: (name) => apps.has(name) };
}
