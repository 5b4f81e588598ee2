import type { Merge, SeriesKind } from '#proto/metrics.ts';

/** The key of a batch, for ever: what was stored under it once is never stored again. */
export interface BatchKey {
  agent: string;
  epoch: bigint;
  /** 1 live, 2 back-fill. */
  lane: number;
  /** From 1, without gaps; a batch whose seq is not above the newest stored one of its lane is a resend. */
  seq: bigint;
}

/** What identifies a series within a resource. */
export interface SeriesIdentity {
  name: string;
  kind: SeriesKind;
  attributes: Readonly<Record<string, string>>;
}

/** Columns of blocks: immutable, the id is derived from the content. */
export interface SeriesTable {
  id: bigint;
  series: readonly SeriesIdentity[];
}

/** A value for each series of a table at one time. NaN: no value. */
export interface SeriesBlock {
  table: bigint;
  /** Milliseconds since 1970. */
  timeMs: number;
  values: Float64Array;
}

/** One batch of samples of one resource. */
export interface SeriesWrite {
  resource: string;
  key: BatchKey;
  /** Tables that may be new to the store. Those it already knows need not be repeated. */
  tables: readonly SeriesTable[];
  blocks: readonly SeriesBlock[];
}

/** Asks for names of one resource over a time range, in steps. */
export interface SeriesQuery {
  resource: string;
  names: readonly string[];
  /** Milliseconds since 1970, inclusive. */
  from: number;
  /** Exclusive. */
  to: number;
  /** Milliseconds; a multiple of 1000. Points lie at multiples of it. */
  step: number;
  /** Only series that carry these attribute values. An empty text asks for series without the attribute. */
  where: Readonly<Record<string, string>>;
  /** Attributes that split the answer; series that differ in others are merged. Series without one of them are left out. */
  by: readonly string[];
  /** How series are merged; the catalogue's choice for the name, else `avg`, when absent. */
  merge?: Merge;
}

/**
 * One line of an answer. The arrays have one length; steps without a sample are absent. Counters are rates per second, all four statistics alike;
 * a restart counts from zero, and over a silence of more than five minutes (and ten times the samples' distance) there is none.
 */
export interface SeriesPoints {
  name: string;
  kind: SeriesKind;
  /** The attributes asked for with `by`. */
  attributes: Readonly<Record<string, string>>;
  /** Start of each step, milliseconds, ascending. */
  times: number[];
  avg: number[];
  min: number[];
  max: number[];
  last: number[];
}

/** A stored series and when it last had a sample. */
export interface SeriesListing extends SeriesIdentity {
  lastMs: number;
}

/** How long each tier is kept, in days. */
export interface SeriesRetention {
  raw: number;
  tenSeconds: number;
  minute: number;
  hour: number;
  /** Bytes on disk over which the oldest sealed files of the finest tier go first. A server has limits of its own and does not heed it. */
  diskLimit: number;
}

/** What the store holds on disk. */
export interface SeriesUsage {
  bytes: number;
  samples: number;
  oldestMs: number | undefined;
}

/** In what stores may differ without their callers noticing more than an error that they handle anyway. */
export interface SeriesTraits {
  /** Tables are known again after a restart of the hub. Else `append` rejects with `series.unknown-table` until a caller gives them again. */
  keepsTables: boolean;
}

/** Samples over time. `append` may be called in parallel; batches of one agent and lane come in order. */
export interface SeriesStore {
  /** Resolves when the batch is durable (or was before). Rejects with `series.unknown-table` when a block's table was never given, and stores nothing then. */
  append(org: string, write: SeriesWrite): Promise<void>;
  /**
   * Steps are whole: one that the range touches counts with all its samples. Where only coarser data are left for the beginning of the range, the
   * whole answer comes in their step. Of several series of a name that `where` and `by` leave open, those with the fewest attributes answer: a
   * machine's total stands for its parts.
   */
  query(org: string, query: SeriesQuery): Promise<SeriesPoints[]>;
  /** The newest durable seq of each lane of an agent's epoch; 0n when none. */
  acknowledged(org: string, agent: string, epoch: bigint): Promise<{ live: bigint; backfill: bigint }>;
  /** Every series of a resource. */
  list(org: string, resource: string): Promise<SeriesListing[]>;
  deleteResource(org: string, resource: string): Promise<void>;
  /** Deletes what is older than the retention or over the disk limit. Called now and then by the owner. */
  retain(retention: SeriesRetention): Promise<void>;
  usage(): Promise<SeriesUsage>;
  check(): Promise<void>;
  /**
   * Says since when, milliseconds since 1970, what was appended may be lost, as its server was restarted and had not written all to its disk. The listener
   * appends all of it again, which stores what is missing and doubles nothing; it is called again until it resolves. Gives the end. Absent where what was
   * appended is never lost.
   */
  doubts?(mend: (sinceMs: number) => Promise<void>): () => void;
}
