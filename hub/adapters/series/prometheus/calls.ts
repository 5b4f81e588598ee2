import { readFileSync } from 'node:fs';
import { reasonOf } from '#sdk';
import { Agent, request } from 'undici';
import { problems } from '../points/errors.ts';
import type { PrometheusConfig } from './config.ts';

/** An answer that is no success. */
export class StatusError extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

function headersOf({ bearerToken, username, password, headers }: PrometheusConfig) {
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const authorization = bearerToken === '' ? (username === '' ? undefined : basic) : `Bearer ${bearerToken}`;
  return { ...headers, ...(authorization === undefined ? {} : { authorization }) };
}

function authorityAt(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw problems.badAddress(`series.ca cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
}

/** Calls over HTTP; an answer that is no success becomes a StatusError. */
export function createCalls(place: PrometheusConfig) {
  const timeout = place.timeoutSeconds * 1000;
  let agent: Agent | undefined;
  const open = (): Agent => {
    const tls = place.ca === '' ? {} : { ca: authorityAt(place.ca) };
    return new Agent({ headersTimeout: timeout, bodyTimeout: timeout, connect: { timeout, ...tls } });
  };
  const own = headersOf(place);
  return {
    async call(url: string, { body, headers = {} }: { body?: Buffer | string; headers?: Record<string, string> } = {}) {
      const method = body === undefined ? 'GET' : 'POST';
      const dispatcher = (agent ??= open());
      const answer = await request(url, { method, body, headers: { ...headers, ...own }, dispatcher });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new StatusError(answer.statusCode, text.trim() || 'no reason given');
      return text;
    },
    close: async () => agent?.destroy(),
  };
}

/** Calls to one server. */
export type Calls = ReturnType<typeof createCalls>;
