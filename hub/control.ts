import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Problem, problemDocument, reasonOf } from '#sdk';
import type { PeerRequest, Peers } from './ports/peers.ts';

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'];
const BODY_LIMIT = 65_536;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > BODY_LIMIT) throw new Error('the request is too large');
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value ?? null));
}

function conclude(response: ServerResponse, work: Promise<unknown>): void {
  work.then(
    (value) => answer(response, 200, value),
    (error: unknown) => {
      if (error instanceof Problem) answer(response, error.status, problemDocument(error));
      else answer(response, 500, { title: 'The command failed.', detail: reasonOf(error) });
    },
  );
}

/**
 * What commands on the hub's own machine reach through a socket in its data folder: `/internal/<service>/…` of any service.
 * and what this process itself answers, `own` by path. Whoever may open the socket owns the data anyway, so nobody signs in here.
 */
export function createControl(
  peers: Peers,
  own: Readonly<Record<string, (body: string) => Promise<unknown>>>,
): RequestListener {
  return (request, response) => {
    const path = request.url ?? '';
    const work = own[path];
    if (work !== undefined) return void conclude(response, bodyOf(request).then(work));
    const service = /^\/internal\/([a-z]+)\//.exec(path)?.[1];
    if (service === undefined || !METHODS.includes(request.method ?? '')) {
      answer(response, 404, { title: 'There is no such command.' });
      return;
    }
    const method = request.method as PeerRequest['method'];
    const asked = bodyOf(request).then((body) =>
      peers.json(service, { method, path, body: body === '' ? undefined : body }),
    );
    conclude(response, asked);
  };
}
