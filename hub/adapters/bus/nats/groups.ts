import type { Subject } from '#proto/subjects.ts';
import type { Clock, Logger } from '#sdk';
import type { Handler } from '../../../ports/bus.ts';
import type { Link } from './connection.ts';
import { workOnLane } from './lane.ts';
import type { BusMetrics } from './metrics.ts';
import type { Names } from './names.ts';

/** Handlers of one process under one name: each message goes to one of them, in turn. */
interface Group {
  subject: Subject<unknown>;
  subscriber: string;
  handlers: Handler<unknown>[];
  turn: number;
  workers: { stop(): Promise<void> }[];
}

const keyOf = (subject: { name: string }, subscriber: string): string => `${subject.name} ${subscriber}`;

/** Every subscription of this process. They may begin before there is a connection. */
export function createGroups(given: { names: Names; clock: Clock; log: Logger; metrics: BusMetrics }) {
  const { names, clock, log, metrics } = given;
  const groups = new Map<string, Group>();
  const ending = new Set<Promise<void>>();
  let link: Link | undefined;

  const handle = async (group: Group, org: string, payload: unknown): Promise<void> => {
    group.turn = (group.turn + 1) % group.handlers.length;
    await group.handlers[group.turn]?.(org, payload);
  };

  const work = (group: Group, open: Link): void => {
    const { subject, subscriber } = group;
    const own = { link: open, names, subject, subscriber, clock, log, redelivered: metrics.redelivered };
    const take = (org: string, payload: unknown): Promise<void> => handle(group, org, payload);
    group.workers = Array.from({ length: subject.lanes }, (_, lane) => workOnLane({ ...own, lane, handle: take }));
  };

  const end = (group: Group): void => {
    const ended = Promise.all(group.workers.map((worker) => worker.stop())).then(() => undefined);
    ending.add(ended);
    void ended.finally(() => ending.delete(ended));
  };

  return {
    subscribe<Payload>(subject: Subject<Payload>, subscriber: string, handler: Handler<Payload>): () => void {
      const key = keyOf(subject, subscriber);
      const made = { subject: subject as Subject<unknown>, subscriber, handlers: [], turn: -1, workers: [] };
      const group: Group = groups.get(key) ?? made;
      const own = handler as Handler<unknown>;
      group.handlers.push(own);
      if (!groups.has(key)) {
        groups.set(key, group);
        if (link !== undefined) work(group, link);
      }
      return () => {
        group.handlers = group.handlers.filter((one) => one !== own);
        if (group.handlers.length > 0 || groups.get(key) !== group) return;
        groups.delete(key);
        end(group);
      };
    },
    /** Hands a message to the subscriber of that name in this process; undefined when there is none. */
    find(subject: { name: string }, subscriber: string): Handler<unknown> | undefined {
      const group = groups.get(keyOf(subject, subscriber));
      return group === undefined ? undefined : (org, payload) => handle(group, org, payload);
    },
    begin(open: Link): void {
      link = open;
      for (const group of groups.values()) work(group, open);
    },
    /** Resolves when every message in hand is done. */
    async stop(): Promise<void> {
      for (const group of groups.values()) end(group);
      groups.clear();
      await Promise.all(ending);
      link = undefined;
    },
  };
}
