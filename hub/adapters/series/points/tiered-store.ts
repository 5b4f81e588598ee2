import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { SeriesListing, SeriesQuery, SeriesRetention, SeriesStore, SeriesUsage } from '../../../ports/series.ts';
import { createTurns } from '../../duckdb/turns.ts';
import { answerRows, type StepRow } from './answer.ts';
import { createAppends, type KnownWrite } from './appends.ts';
import { identityOf, identityText } from './identity.ts';
import { createPieces, PIECE_MS, type Pieces } from './pieces.ts';
import { gatherRows } from './rows.ts';
import { RESOLUTIONS, tierFor, tierParts, type Resolution } from './tiers.ts';

/** A resource of an org. */
export interface Owner {
  org: string;
  resource: string;
}

/** Rows of a resource by the text of their series (`identityText`). */
export type Rows = Map<string, StepRow[]>;

/** Which rows of a tier are read. */
export interface RowsQuery {
  from: number;
  to: number;
  /** Milliseconds; a multiple of the tier's buckets. */
  step: number;
  /** Only series of these names that carry these attributes (others may come too); all when absent. */
  only?: Pick<SeriesQuery, 'names' | 'where'>;
}

/** A small fact beside the samples: the newest seq of a lane (`key`), or whether a piece of a resource lacks rows (`mark`, 1 or 0). */
export interface Note {
  kind: 'key' | 'mark';
  org: string;
  /** The agent, or the resource. */
  about: string;
  /** Which of its kind, `epoch.lane` of a key. */
  part: string;
  timeMs: number;
  value: number;
}

/** Which notes are read. */
export interface NotesQuery extends Pick<Note, 'kind'> {
  since: number;
  /** All when absent; others of `parts` may come too. */
  of?: Pick<Note, 'org' | 'about'> & { parts?: readonly string[] };
  /** Only the largest of each part. */
  largest?: boolean;
}

/** A server that keeps points in one place a resolution, and notes; what is written again under its identity and time replaces what was there. Each write is durable when it resolves. */
export interface PointServer {
  /** Finds or makes the places. */
  open(): Promise<void>;
  /** Sets how long each tier is kept; notes like the coarsest. */
  keep(retention: SeriesRetention): Promise<void>;
  /** Where a tier begins, milliseconds since 1970; 0 when everything is kept. */
  beginsMs(tier: Resolution): number;
  /** Gives how many samples the server left out: past the retention, or another value is there. */
  writeSamples(writes: readonly KnownWrite<string>[]): Promise<number>;
  readRows(tier: Resolution, owner: Owner, query: RowsQuery): Promise<Rows>;
  writeRows(tier: Resolution, owner: Owner, rows: Rows): Promise<void>;
  writeNotes(notes: readonly Note[]): Promise<void>;
  readNotes(query: NotesQuery): Promise<Note[]>;
  /** Text and newest time, milliseconds, of the series of a resource. */
  lastSeen(tier: Resolution, owner: Owner): Promise<[text: string, timeMs: number][]>;
  /** Deletes the samples, rows and marks of a resource. */
  remove(owner: Owner): Promise<void>;
  /** How many samples the rows of a tier stand for, and when the first of them was. */
  count(tier: Resolution, from: number, to: number): Promise<{ samples: number; oldestMs: number | undefined }>;
  bytes(): Promise<number>;
  check(): Promise<void>;
  /** Says since when what the server took may be lost, again until `lost` resolves. Absent where what was taken is never lost. */
  watchLosses?(lost: (sinceMs: number) => Promise<void>): Cancel;
}

/** A port over a server, and what its adapter does with it. */
export interface TieredStore {
  port: SeriesStore;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const [RAW, TEN, MINUTE, HOUR] = RESOLUTIONS;
/** How far before a range its first rate may look for the sample before, milliseconds. */
const LOOK_BACK_MS = 300_000;
/** Younger than this, samples themselves answer: another hub may not have gathered its own yet. */
const YOUNG_MS = 2 * PIECE_MS;
/** Late pieces that a query gathers before it answers; for a whole back-fill it does not wait. */
const LATE_PIECES = 24;
const UPKEEP_MS = 10_000;
/** What was gathered so long ago is on the server's disk. */
const SURE_MS = 600_000;

const floor = (ms: number, step: number): number => Math.floor(ms / step) * step;
const keyOf = ({ org, resource }: Owner): string => JSON.stringify([org, resource]);
const ownerOf = (key: string): Owner => {
  const [org = '', resource = ''] = JSON.parse(key) as string[];
  return { org, resource };
};
const markOf = ({ org, resource }: Owner, begin: number, value: number): Note => ({
  kind: 'mark',
  org,
  about: resource,
  part: 'piece',
  timeMs: begin,
  value,
});

/** The key of a batch. One an hour and lane, so that the keys of an agent that is silent for long are few and there. */
const noteOf = ({ org, key: { agent, epoch, lane, seq } }: KnownWrite<string>, nowMs: number): Note => ({
  kind: 'key',
  org,
  about: agent,
  part: `${epoch}.${lane}`,
  timeMs: floor(nowMs, HOUR.bucketMs),
  value: Number(seq),
});

async function acknowledged(server: PointServer, org: string, agent: string, epoch: bigint) {
  const parts = [`${epoch}.1`, `${epoch}.2`];
  const notes = await server.readNotes({ kind: 'key', since: 0, of: { org, about: agent, parts }, largest: true });
  const newest = (lane: number): bigint => BigInt(notes.find(({ part }) => part === `${epoch}.${lane}`)?.value ?? 0);
  return { live: newest(1), backfill: newest(2) };
}

async function listOf(server: PointServer, owner: Owner): Promise<SeriesListing[]> {
  // The hours tell of what the finer tiers have forgotten.
  const seen = new Map(await server.lastSeen(HOUR, owner));
  for (const [text, timeMs] of await server.lastSeen(RAW, owner)) seen.set(text, timeMs);
  return [...seen].map(([text, lastMs]) => ({ ...identityOf(text), lastMs }));
}

/** Counting every sample would read all of them: hours that are over tell their number. */
async function usageOf(server: PointServer, nowMs: number): Promise<SeriesUsage> {
  const begin = server.beginsMs(RAW);
  const over = Math.max(begin, floor(nowMs, HOUR.bucketMs) - HOUR.bucketMs);
  const old = begin < over ? await server.count(HOUR, begin, over) : { samples: 0, oldestMs: undefined };
  const young = await server.count(RAW, over, Infinity);
  const samples = old.samples + young.samples;
  return { bytes: await server.bytes(), samples, oldestMs: old.oldestMs ?? young.oldestMs };
}

/**
 * Fills the coarser tiers: whatever piece of a resource got samples, now or late, is read again and its rows are written anew, which replaces them. So late
 * and back-filled samples need no special case, several hubs may do the same work, and what a killed one left open is marked in the store. Tasks on the
 * server were not taken: they look at a window once, and cannot tell when the first and last sample of a step were, which rates need.
 */
function createGathering(server: PointServer, clock: Clock) {
  const pieces = createPieces(() => clock.monotonic());
  let recent: { owner: Owner; begin: number; atMs: number }[] = [];
  const gatherOne = async (owner: Owner, begin: number): Promise<void> => {
    const samples = await server.readRows(RAW, owner, { from: begin, to: begin + PIECE_MS, step: TEN.bucketMs });
    await server.writeRows(TEN, owner, samples);
    const minutes = [...samples].map(([text, rows]) => [text, gatherRows(rows, MINUTE.bucketMs)] as const);
    await server.writeRows(MINUTE, owner, new Map(minutes));
    const hour = floor(begin, HOUR.bucketMs);
    const whole = { from: hour, to: hour + HOUR.bucketMs, step: HOUR.bucketMs };
    await server.writeRows(HOUR, owner, await server.readRows(MINUTE, owner, whole));
  };
  return {
    pieces,
    async gather(owner: Owner, begins: readonly number[]): Promise<void> {
      for (const begin of begins) {
        pieces.take(keyOf(owner), begin);
        try {
          await gatherOne(owner, begin);
          recent = recent.filter(({ atMs }) => clock.now() - atMs < SURE_MS);
          recent.push({ owner, begin, atMs: clock.now() });
          if (!pieces.isOpen(keyOf(owner), begin)) await server.writeNotes([markOf(owner, begin, 0)]);
        } catch (error) {
          pieces.touch(keyOf(owner), [begin]);
          throw error;
        }
      }
    },
    /** Opens again what was gathered since, and gives the marks of all that is open. */
    reopen(sinceMs: number): Note[] {
      for (const { owner, begin, atMs } of recent) if (atMs >= sinceMs) pieces.touch(keyOf(owner), [begin]);
      return pieces.all().flatMap(([key, begins]) => begins.map((begin) => markOf(ownerOf(key), begin, 1)));
    },
  };
}

/** Answers queries from the tiers, and from samples where those are not gathered yet. */
function createQuery(
  server: PointServer,
  given: { pieces: Pieces; clock: Clock; gather(owner: Owner, begins: readonly number[]): Promise<void> },
): SeriesStore['query'] {
  const { pieces, clock, gather } = given;
  return async (org, asked) => {
    if (asked.to <= asked.from) return [];
    const owner = { org, resource: asked.resource };
    const tier = tierFor<Resolution>(RESOLUTIONS, asked.step, asked.from, (one) => server.beginsMs(one));
    const step = Math.max(asked.step, tier.bucketMs);
    const [from, to] = [floor(asked.from, step), Math.ceil(asked.to / step) * step];
    const gatheredMs = floor(clock.now() - YOUNG_MS, PIECE_MS);
    const range = { from: from - Math.max(LOOK_BACK_MS, step), to, gatheredMs };
    const late = tier === RAW ? [] : pieces.within(keyOf(owner), range.from, Math.min(to, gatheredMs));
    if (late.length > 0 && late.length <= LATE_PIECES) await gather(owner, late);
    const rows: Rows = new Map();
    for (const part of tierParts<Resolution>(RESOLUTIONS, tier, range)) {
      const within = { from: Math.max(part.from, server.beginsMs(part.tier)), to: part.to };
      if (within.from >= within.to) continue;
      const read = await server.readRows(part.tier, owner, { ...within, step, only: asked });
      for (const [text, own] of read) rows.set(text, gatherRows([...(rows.get(text) ?? []), ...own], step));
    }
    return answerRows(rows, { ...asked, from, step });
  };
}

/** Makes a store with tiers over a server of points. */
export function createTieredStore(server: PointServer, { clock, log }: { clock: Clock; log: Logger }): TieredStore {
  const { pieces, gather, reopen } = createGathering(server, clock);
  const alone = createTurns();
  let left = 0;
  let stopped = false;
  let keeping: Promise<void> | undefined;
  let cancel: (() => void) | undefined;
  const appends = createAppends<string>({
    columnOf: identityText,
    acknowledged: (org, agent, epoch) => acknowledged(server, org, agent, epoch),
    async store(writes) {
      left += await server.writeSamples(writes);
      const marks = writes.flatMap(({ org, resource, blocks }) => {
        const times = blocks.map(({ timeMs }) => timeMs);
        return pieces.touch(keyOf({ org, resource }), times).map((begin) => markOf({ org, resource }, begin, 1));
      });
      await server.writeNotes(marks);
      await server.writeNotes(writes.map((write) => noteOf(write, clock.now())));
    },
  });
  const upkeep = async (): Promise<void> => {
    if (left > 0)
      log.warn('samples were left out: past the retention, or with another value at their time', { count: left });
    left = 0;
    for (const [key, begins] of pieces.due()) {
      if (stopped) return;
      await alone(() => gather(ownerOf(key), begins));
    }
  };
  const doubts: SeriesStore['doubts'] = (mend) =>
    (server.watchLosses ?? (() => () => undefined))(async (sinceMs) => {
      const trust = appends.mistrust();
      try {
        await server.writeNotes(reopen(sinceMs));
        await mend(sinceMs);
      } finally {
        trust();
      }
    });
  const query = createQuery(server, { pieces, clock, gather: (owner, begins) => alone(() => gather(owner, begins)) });
  return {
    port: {
      query,
      append: (org, write) => appends.append(org, write),
      acknowledged: (org, agent, epoch) => acknowledged(server, org, agent, epoch),
      list: (org, resource) => listOf(server, { org, resource }),
      deleteResource: (org, resource) =>
        alone(async () => {
          pieces.forget(keyOf({ org, resource }));
          await server.remove({ org, resource });
        }),
      retain: (retention) => server.keep(retention),
      usage: () => usageOf(server, clock.now()),
      check: () => server.check(),
      ...(server.watchLosses === undefined ? {} : { doubts }),
    },
    async start() {
      await server.open();
      for (const { org, about, timeMs, value } of await server.readNotes({ kind: 'mark', since: server.beginsMs(RAW) }))
        if (value === 1) pieces.touch(keyOf({ org, resource: about }), [timeMs]);
      const failed = (error: unknown): void =>
        log.warn('samples could not be gathered; it is tried again', { reason: reasonOf(error) });
      cancel = clock.every(UPKEEP_MS, () => {
        keeping ??= upkeep()
          .catch(failed)
          .finally(() => (keeping = undefined));
      });
    },
    async stop() {
      stopped = true;
      cancel?.();
      await appends.drain();
      await keeping;
    },
  };
}
