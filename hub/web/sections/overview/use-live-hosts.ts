import { useRef, useState } from 'react';
import { useLiveEvent, useLiveWish } from '../../live/use-live.ts';
import type { LiveHost } from '../../live/stream.ts';

/** How often rows change their places when they are ordered by a number that moves, milliseconds. */
const SETTLE_MS = 5000;

/** The newest numbers of all hosts by id, new at most once a second; `settled` changes seldom enough to order rows by. */
export function useLiveHosts(): { now: ReadonlyMap<string, LiveHost>; settled: ReadonlyMap<string, LiveHost> } {
  const [state, set] = useState<{ now: ReadonlyMap<string, LiveHost>; settled: ReadonlyMap<string, LiveHost> }>({
    now: new Map(),
    settled: new Map(),
  });
  const settledAt = useRef(0);
  useLiveWish({ hosts: true });
  useLiveEvent('hosts', ({ nowMs, hosts }) => {
    set(({ now, settled }) => {
      const next = new Map(now);
      for (const host of hosts) next.set(host.resource, { ...next.get(host.resource), ...host });
      const due = settled.size === 0 || nowMs - settledAt.current > SETTLE_MS;
      if (due) settledAt.current = nowMs;
      return { now: next, settled: due ? next : settled };
    });
  });
  return state;
}
