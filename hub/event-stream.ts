import { PassThrough, type Readable } from 'node:stream';
import type { Cancel, Clock } from '#sdk';
import { Type } from 'typebox';

const HEARTBEAT_MS = 15_000;
/** Bytes that may wait for a slow reader before events are left out for it. */
const WAITING_LIMIT = 1_000_000;

/** The answer of a route that streams, for the OpenAPI document. */
export const eventsReply = (description: string) => ({
  description,
  content: {
    'text/event-stream': {
      schema: Type.Unsafe<Readable>({ type: 'string', description: 'Server-sent events; data are JSON.' }),
    },
  },
});

/** One reader of server-sent events. */
export interface EventStream {
  body: Readable;
  /** Sends an event; false when the reader is too slow and the event was left out. A reader that comes back names the last `id` that it has read. */
  send(event: string, data: unknown, id?: string): boolean;
  /** The same with data that is JSON already, for events that many readers get. */
  sendText(event: string, json: string, id?: string): boolean;
}

/** Opens a stream of server-sent events; `ended` is called once when the reader is gone. */
export function openEventStream(clock: Clock, ended: () => void): EventStream {
  const body = new PassThrough({ highWaterMark: 64 * 1024 });
  const beat: Cancel = clock.every(HEARTBEAT_MS, () => void body.write(': beat\n\n'));
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    beat();
    ended();
  };
  body.on('close', end);
  body.on('error', end);
  body.write('retry: 2000\n\n');
  const sendText: EventStream['sendText'] = (event, json, id) => {
    if (over || body.writableLength + body.readableLength > WAITING_LIMIT) return false;
    body.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`);
    return true;
  };
  return { body, sendText, send: (event, data, id) => sendText(event, JSON.stringify(data), id) };
}
