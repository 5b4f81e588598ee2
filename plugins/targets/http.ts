import { Agent as PlainAgent, request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { VERSION, type Connection } from '#sdk';
import { problems } from './errors.ts';
import type { HttpTarget } from './settings.ts';
import { tlsOptions } from './tls.ts';

/** What differs between those who ask over HTTP. */
export interface HttpOptions {
  accept?: string;
  /** An answer with more bytes is refused. */
  maxBytes: number;
}

/** The whole body; rejects when it is larger than `maxBytes` or ends before its end. */
export function readBody(answer: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes) answer.destroy(problems.tooLarge(`the answer is larger than ${maxBytes} bytes`));
      else parts.push(part);
    });
    answer.once('end', () => resolve(Buffer.concat(parts, bytes).toString('utf8')));
    answer.once('error', reject);
  });
}

function authorization({ user, password, token }: HttpTarget): Record<string, string> {
  if (token !== '') return { authorization: `Bearer ${token}` };
  if (user === '') return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** Connects to a target that is asked by GET; a question is a path below its address. Redirects are not followed. */
export function connectHttp(target: HttpTarget, { accept = '*/*', maxBytes }: HttpOptions): Connection {
  const isSecure = target.url.startsWith('https:');
  const agent = isSecure
    ? new TlsAgent({ keepAlive: true, ...tlsOptions(target.tls) })
    : new PlainAgent({ keepAlive: true });
  const request = isSecure ? tlsRequest : plainRequest;
  const headers = { accept, 'user-agent': `outrider-agent/${VERSION}`, ...authorization(target) };
  const base = target.url.replace(/\/$/, '');
  const get = (url: string, options: RequestOptions): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => request(url, options, resolve).once('error', reject).end());
  return {
    async ask(path, signal) {
      const answer = await get(path === '' ? target.url : `${base}${path}`, { agent, headers, signal });
      const { statusCode: status = 0 } = answer;
      if (status !== 200) {
        answer.destroy();
        throw problems.refused(`the answer is status ${status}, not 200`, { facts: { status } });
      }
      return readBody(answer, maxBytes);
    },
    close: () => agent.destroy(),
  };
}
