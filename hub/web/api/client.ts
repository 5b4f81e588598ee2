import createClient from 'openapi-fetch';
import type { paths } from './schema.gen.d.ts';
import { accessToken, refresh } from './session.ts';

/** What the hub said when it refused: an RFC 9457 document. Status 0: it could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  /** Further members of the document: which right is missing, which field is wrong. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(status: number, document: Readonly<Record<string, unknown>>, requestId: string) {
    super(String(document['detail'] ?? document['title'] ?? `The hub answered ${status}.`));
    this.status = status;
    this.code = String(document['code'] ?? '');
    this.requestId = requestId;
    this.facts = document;
  }
}

const AUTH = '/api/v1/auth/';

async function authorised(request: Request): Promise<Response> {
  const send = async (): Promise<Response> => {
    const one = request.clone();
    const token = await accessToken();
    if (token !== undefined) one.headers.set('authorization', `Bearer ${token}`);
    return fetch(one);
  };
  if (request.url.includes(AUTH)) return fetch(request);
  const reply = await send();
  // The token may have ended or been withdrawn meanwhile: it is renewed once.
  return reply.status === 401 && (await refresh()) !== undefined ? send() : reply;
}

/** Calls of the web API, typed by its OpenAPI document. */
export const api = createClient<paths>({
  baseUrl: location.origin,
  fetch: authorised,
  querySerializer: { array: { style: 'form', explode: true } },
});

/** What a call answers, or an ApiError. */
export async function answer<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<Exclude<T, undefined>> {
  let reply: Awaited<typeof call>;
  try {
    reply = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, { detail: 'The hub cannot be reached. Is it running, and is the network up?' }, '');
  }
  const { data, error, response } = reply;
  if (response.ok) return data as Exclude<T, undefined>;
  const document = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  throw new ApiError(response.status, document, response.headers.get('x-request-id') ?? '');
}
