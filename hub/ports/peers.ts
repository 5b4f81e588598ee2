import { defineProblems, Problem } from '#sdk';
import type { Readable } from 'node:stream';
import type { Principal } from '../principal.ts';

const problems = defineProblems('peers', {
  unknownService: { status: 503, title: 'This hub does not run that service.' },
  unavailable: { status: 503, title: 'A part of the hub does not answer.', retryable: true },
  late: { status: 504, title: 'A part of the hub did not answer in time.', retryable: true },
  refused: { status: 502, title: 'A part of the hub refused this one.' },
  badAnswer: { status: 502, title: 'A part of the hub answered in a way that cannot be read.' },
});
export { problems as peerProblems };

/** One call to a sister service. `path` begins with `/api/v1/` or, for calls that no user may make, `/internal/`. */
export interface PeerRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  /** Raw query text without the question mark. */
  query?: string;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
  /** On whose behalf; absent for a caller who is not signed in. */
  principal?: Principal;
  requestId?: string;
  /** Ends the call, also a streamed answer. */
  signal?: AbortSignal;
  /** Milliseconds until the answer must begin, 10,000 when absent; never more than what is left of the call that this one belongs to. */
  deadlineMs?: number;
}

/** An answer whose body may still be arriving (server-sent events). */
export interface PeerReply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

/** The other services of this hub, wherever they run. */
export interface Peers {
  /** Rejects with `peers.unknown-service`, `peers.unavailable` or `peers.late`; any HTTP status is an answer, not a rejection. */
  call(service: string, request: PeerRequest): Promise<PeerReply>;
  /** Calls and reads JSON; a status of 400 or more is thrown as the Problem that the service answered. */
  json<T>(service: string, request: PeerRequest): Promise<T>;
}

/** Peers over any way to make a call. */
export function peersOver(call: Peers['call']): Peers {
  return {
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

/** The Problem that a service answered, made anew on the caller's side. */
export function readProblem(status: number, text: string): Problem {
  try {
    const { type, title, detail, code, instance, status: said, ...facts } = JSON.parse(text) as Record<string, unknown>;
    void [type, instance, said];
    if (typeof code === 'string' && typeof title === 'string') {
      const retryable = status === 503 || status === 504;
      return new Problem(code, { status, title, retryable }, typeof detail === 'string' ? detail : title, { facts });
    }
  } catch {
    // Not JSON: the sentence below says so.
  }
  return problems.badAnswer(`status ${status}`);
}
