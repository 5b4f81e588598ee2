import type { Msg } from '@nats-io/transport-node';
import type { Subject } from '#proto/subjects.ts';
import { reasonOf, type Logger } from '#sdk';
import type { Link } from './connection.ts';
import { ORG, textOf } from './envelope.ts';
import type { Names } from './names.ts';

interface Listener {
  subject: Subject<unknown>;
  handler(org: string, payload: unknown): void;
  end?(): void;
}

/** Who hears messages as they pass: plain subscriptions, of which the server keeps nothing. */
export function createListening({ names, log }: { names: Names; log: Logger }) {
  const listeners = new Set<Listener>();
  let link: Link | undefined;
  const hear = (one: Listener, { nats }: Link): void => {
    const { subject, handler } = one;
    // One after another: a small message must not overtake a large one that is still being unpacked.
    let turn = Promise.resolve();
    const take = async (message: Msg): Promise<void> => {
      try {
        handler(message.headers?.get(ORG) ?? '', subject.decode(await textOf(message)));
      } catch (error) {
        log.warn('a listener could not take a message of the bus', { subject: subject.name, reason: reasonOf(error) });
      }
    };
    const subscription = nats.subscribe(names.allNews(subject), {
      callback(error, message) {
        if (error === null) turn = turn.then(() => take(message));
      },
    });
    one.end = () => subscription.unsubscribe();
  };
  return {
    listen<Payload>(subject: Subject<Payload>, handler: (org: string, payload: Payload) => void): () => void {
      const one: Listener = { subject: subject as Subject<unknown>, handler: handler as Listener['handler'] };
      listeners.add(one);
      if (link !== undefined) hear(one, link);
      return () => {
        listeners.delete(one);
        one.end?.();
      };
    },
    begin(open: Link): void {
      link = open;
      for (const one of listeners) hear(one, open);
    },
    stop(): void {
      link = undefined;
      for (const { end } of listeners) end?.();
    },
  };
}
