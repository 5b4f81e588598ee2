import { defineProblems } from '#sdk';
import { PRINCIPAL_HEADER, writePrincipal, type ServiceApp } from '../../../http.ts';
import { readProblem, type PeerReply, type PeerRequest, type Peers } from '../../../ports/peers.ts';

const problems = defineProblems('peers', {
  unknownService: { status: 503, title: 'This hub does not run that service.' },
});

/** Peers of one process: calls are injected into the sister's app, with no socket between. */
export interface LocalPeers extends Peers {
  /** Makes a service callable under its name. */
  attach(service: string, app: ServiceApp): void;
}

/** Makes the peers of one process. */
export function createLocalPeers(): LocalPeers {
  const apps = new Map<string, ServiceApp>();
  const call = async (service: string, request: PeerRequest): Promise<PeerReply> => {
    const app = apps.get(service);
    if (app === undefined) throw problems.unknownService(`No service "${service}" runs in this process.`);
    const { principal, requestId } = request;
    const reply = await app.inject({
      method: request.method,
      url: request.query ? `${request.path}?${request.query}` : request.path,
      headers: {
        ...request.headers,
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
  return {
    attach: (service, app) => void apps.set(service, app),
    call,
    async json<T>(service: string, request: PeerRequest): Promise<T> {
      const headers =
        request.body === undefined ? request.headers : { 'content-type': 'application/json', ...request.headers };
      const reply = await call(service, { ...request, headers });
      const parts: Buffer[] = [];
      for await (const part of reply.body) parts.push(part as Buffer);
      const text = Buffer.concat(parts).toString('utf8');
      if (reply.status >= 400) throw readProblem(reply.status, text);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
  };
}
