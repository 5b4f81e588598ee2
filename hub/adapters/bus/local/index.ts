import { Problem, reasonOf } from '#sdk';
import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { Bus, Handler } from '../../../ports/bus.ts';

const config = Type.Object({});

/** A group of handlers under one name: each message goes to one of them, in turn. */
interface Group {
  handlers: Handler<unknown>[];
  turn: number;
}

type Listener = (org: string, payload: unknown) => void;

/** Of several faults the one to go by: one that a next try may be spared, so that nothing is given up that a subscriber still wants. */
const decisive = (faults: readonly unknown[]): unknown =>
  faults.find((fault) => !(fault instanceof Problem) || fault.retryable) ?? faults[0];

/** News inside one process: a message is handed to each subscriber, and is published when all have finished. */
export const localBus = defineAdapter<Bus, typeof config>({
  name: 'local',
  reach: 'process',
  config,
  create({ log }) {
    const subjects = new Map<string, Map<string, Group>>();
    const listeners = new Map<string, Set<Listener>>();
    const tell = (listener: Listener, org: string, payload: unknown): void => {
      try {
        listener(org, payload);
      } catch (error) {
        log.error('a listener of the bus failed', { reason: reasonOf(error) });
      }
    };
    const deliver = async (group: Group, org: string, payload: unknown): Promise<void> => {
      group.turn = (group.turn + 1) % group.handlers.length;
      await group.handlers[group.turn]?.(org, payload);
    };
    const port: Bus = {
      async publish(subject, org, payload) {
        const groups = [...(subjects.get(subject.name)?.values() ?? [])];
        const results = await Promise.allSettled(groups.map((group) => deliver(group, org, payload)));
        const faults = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
        if (faults.length > 1)
          log.error('several subscribers failed', { subject: subject.name, reasons: faults.map(reasonOf) });
        if (faults.length > 0) throw decisive(faults);
        // Only now: what could not be kept is no news.
        for (const listener of listeners.get(subject.name) ?? []) tell(listener, org, payload);
      },
      listen(subject, handler) {
        const own = listeners.get(subject.name) ?? new Set<Listener>();
        listeners.set(subject.name, own.add(handler as Listener));
        return () => own.delete(handler as Listener);
      },
      replay: () => Promise.resolve(),
      subscribe(subject, name, handler) {
        const groups = subjects.get(subject.name) ?? new Map<string, Group>();
        subjects.set(subject.name, groups);
        const group = groups.get(name) ?? { handlers: [], turn: -1 };
        groups.set(name, group);
        const own = handler as Handler<unknown>;
        group.handlers.push(own);
        return () => {
          group.handlers = group.handlers.filter((one) => one !== own);
          if (group.handlers.length === 0 && groups.get(name) === group) groups.delete(name);
        };
      },
      check: () => Promise.resolve(),
    };
    return { port };
  },
});
