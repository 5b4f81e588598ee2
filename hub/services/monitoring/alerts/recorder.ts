import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Bus } from '../../../ports/bus.ts';
import { toldOf, type Firing } from './firing.ts';
import type { FiringWrite } from './firing-store.ts';
import type { AlertNews, AlertResources } from './index.ts';
import { isSilenced, type Silence } from './silence.ts';
import type { Ownership } from './ownership.ts';
import { shardOf, StaleOwner } from './shards.ts';
import type { AlertStore, FencedWrite } from './store.ts';
import { createTelling } from './telling.ts';
import { wording } from './wording.ts';

/** What the recorder stands on. */
export interface RecorderGiven {
  store: AlertStore;
  bus: Bus;
  resources: AlertResources;
  owned: Pick<Ownership, 'fenceOf' | 'lost'>;
  clock: Clock;
  log: Logger;
  /** Hears of each change once it is written down. */
  changed(news: AlertNews): void;
}

const newsOf = (org: string, firing: Firing): AlertNews => ({
  org,
  firing: firing.id,
  state: firing.state,
  severity: firing.severity,
  resource: firing.resource,
  title: wording(toldOf(firing)).title,
  atMs: firing.resolvedMs ?? firing.firedMs,
});

/** Makes what tells what is this process's to tell, also while it finds out that some is not any more. */
function createTeller(telling: ReturnType<typeof createTelling>, owned: RecorderGiven['owned']) {
  return async (org: string): Promise<void> => {
    for (;;) {
      try {
        return await telling.due(org, (resource) => owned.fenceOf(org, resource));
      } catch (error) {
        if (!(error instanceof StaleOwner)) throw error;
        owned.lost(error.shard, error.fence);
      }
    }
  };
}

/** Writes transitions down in their order and only then tells of them: whatever is cut off is told after the next start. */
export function createRecorder({ store, bus, resources, owned, clock, log, changed }: RecorderGiven) {
  const telling = createTelling({ store, bus, clock });
  const tell = createTeller(telling, owned);
  const waiting = new Map<string, FencedWrite[]>();
  let running: Promise<void> | undefined;

  const complete = async (org: string, entry: FiringWrite, silences: readonly Silence[]): Promise<FiringWrite> => {
    if (entry.kind !== 'fired') return entry;
    const { firing } = entry;
    const resourceName = (await resources.find(org, firing.resource))?.name ?? firing.resource;
    return { kind: 'fired', firing: { ...firing, resourceName, silenced: isSilenced(silences, firing, clock.now()) } };
  };

  const writeDown = async (org: string, entries: FencedWrite[]): Promise<void> => {
    try {
      const silences = await store.silences(org, clock.now());
      const full: FencedWrite[] = [];
      for (const one of entries) full.push({ ...one, entry: await complete(org, one.entry, silences) });
      for (const firing of await store.write(org, full)) changed(newsOf(org, firing));
    } catch (error) {
      // What a replaced owner wanted to write is the next one's work.
      const stale = error instanceof StaleOwner ? error : undefined;
      const left = entries.filter(({ shard, fence }) => shard !== stale?.shard || fence !== stale.fence);
      const all = [...left, ...(waiting.get(org) ?? [])];
      if (all.length > 0) waiting.set(org, all);
      if (stale === undefined) throw error;
      owned.lost(stale.shard, stale.fence);
    }
  };

  const drain = async (): Promise<void> => {
    for (let next = waiting.entries().next(); next.done !== true; next = waiting.entries().next()) {
      const [org, entries] = next.value;
      waiting.delete(org);
      await writeDown(org, entries);
      await tell(org);
    }
  };

  /** One run at a time; what comes meanwhile is taken along. A failed run is tried again with the next news or sweep. */
  const kick = (): Promise<void> => {
    running ??= drain().then(
      () => {
        running = undefined;
        if (waiting.size > 0) void kick();
      },
      (error: unknown) => {
        running = undefined;
        log.warn('alerts could not be written or told; they are tried again', { reason: reasonOf(error) });
      },
    );
    return running;
  };

  return {
    /** Takes a transition; returns at once. What another process owns is that one's to write down. */
    take(org: string, resource: string, entry: FiringWrite): void {
      const fence = owned.fenceOf(org, resource);
      if (fence === undefined) return;
      waiting.set(org, [...(waiting.get(org) ?? []), { shard: shardOf(org, resource), fence, entry }]);
      void kick();
    },
    /** Tries again what could not be written. */
    retry(): void {
      if (waiting.size > 0) void kick();
    },
    /** Tries again what failed, and tells what silences no longer hold back. */
    async sweep(orgs: readonly string[]): Promise<void> {
      await kick();
      for (const org of orgs) await tell(org);
    },
    /** Tells what a removed resource leaves, whoever owns it. */
    farewell: (org: string, resource: string): Promise<void> => telling.farewell(org, resource),
    /** Resolves when nothing is on its way. */
    async settled(): Promise<void> {
      while (running !== undefined) await running;
    },
  };
}
export type Recorder = ReturnType<typeof createRecorder>;
