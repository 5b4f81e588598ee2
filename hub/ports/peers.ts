import { Problem } from '#sdk';
import type { Readable } from 'node:stream';
import type { Principal } from '../principal.ts';

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
}

/** An answer whose body may still be arriving (server-sent events). */
export interface PeerReply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

/** The other services of this hub, wherever they run. */
export interface Peers {
  /** Rejects with `peers.unknown-service` or `peers.unavailable`; any HTTP status is an answer, not a rejection. */
  call(service: string, request: PeerRequest): Promise<PeerReply>;
  /** Calls and reads JSON; a status of 400 or more is thrown as the Problem that the service answered. */
  json<T>(service: string, request: PeerRequest): Promise<T>;
}

/** The Problem that a service answered, made anew on the caller's side. */
export function readProblem(status: number, text: string): Problem {
  try {
    const {
      type,
      title,
      detail,
      code,
      instance,
      status: _status,
      ...facts
    } = JSON.parse(text) as Record<string, unknown>;
    void [type, instance, _status];
    if (typeof code === 'string' && typeof title === 'string') {
      return new Problem(code, { status, title }, typeof detail === 'string' ? detail : title, { facts });
    }
  } catch {
    // Not JSON: the sentence below says so.
  }
  return new Problem(
    'peers.bad-answer',
    { status: 502, title: 'A part of the hub answered in a way that cannot be read.' },
    `status ${status}`,
  );
}
