import type { ColumnType, Generated } from 'kysely';
import type { Cause, Happening, Kind, SeriesName } from './event.ts';
import type { Verdict } from './sensitivity.ts';
import type { Part } from './sequences/part.ts';

/** Numbers of milliseconds and revisions: read as a text or a number, by the driver. */
type Big = ColumnType<string | number, number, number>;
/** JSON: written as a text. */
type Json<T> = ColumnType<T, string, string>;

/** Who said that an event is over. */
export type Ending = 'agent' | 'superseded' | 'lost';

/** A model that an agent was given, as it says. */
export interface ToldModel {
  version: string;
  alias: string;
  inUse: boolean;
  problem: string;
}

/** A number that may be missing. */
type MaybeBig = ColumnType<string | number | null, number | null, number | null>;

/** What a model can be to a host: the one whose scores count, and one whose scores are only told. */
export const ALIASES = ['champion', 'shadow'] as const;
export type AliasName = (typeof ALIASES)[number];

/** A model that an agent is to have. */
export interface WantedModel {
  alias: AliasName;
  version: string;
  digest: string;
}

/** One question that a new model has to answer well before it may judge. */
export interface GateCheck {
  name: string;
  value: number | null;
  limit: number | null;
  passed: boolean;
  words: string;
}
export interface Gate {
  passed: boolean;
  checks: GateCheck[];
}

export const JOB_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** The tables of the schema `predictions`, as Kysely sees them. */
export interface PredictionsTables {
  anomalies: {
    org_id: string;
    id: string;
    resource: string;
    revision: Big;
    kind: Kind;
    start_ms: Big;
    peak_ms: Big;
    end_ms: MaybeBig;
    ended_by: Ending | null;
    score: number;
    surprise: number;
    model: string;
    causes: Json<Cause[]>;
    contexts: Json<Happening[]>;
    templates: Json<string[]>;
    heard_ms: Big;
  };
  feedback: {
    org_id: string;
    anomaly: string;
    person: string;
    name: string;
    verdict: Verdict;
    note: string;
    resource: string;
    kind: Kind;
    series: Json<SeriesName[]>;
    score: number;
    surprise: number;
    start_ms: Big;
    at_ms: Big;
  };
  sensitivities: {
    org_id: string;
    resource: string;
    series_key: string;
    metric: string;
    attributes: Json<Record<string, string>>;
    moved: number;
  };
  detections: {
    org_id: string;
    agent: string;
    revision: Big;
    document: string;
    reported: MaybeBig;
    models: Json<ToldModel[]>;
    sent_ms: MaybeBig;
    wanted: ColumnType<WantedModel[], string | undefined, string>;
    since_ms: MaybeBig;
  };
  models: {
    org_id: string;
    version: string;
    resource: string;
    architecture: 'autoencoder' | 'linear';
    created_ms: Big;
    from_ms: Big;
    to_ms: Big;
    rows: number;
    features: number;
    seed: Big;
    digest: string;
    bytes: number;
    metrics: Json<Record<string, number>>;
    gate: Json<Gate>;
    job: string | null;
    made_by: string;
    program: string;
  };
  aliases: {
    org_id: string;
    resource: string;
    alias: AliasName;
    version: string;
    since_ms: Big;
    made_by: string;
  };
  alias_moves: {
    org_id: string;
    id: Generated<string>;
    resource: string;
    alias: AliasName;
    version: string | null;
    before: string | null;
    at_ms: Big;
    made_by: string;
    reason: string;
  };
  jobs: {
    org_id: string;
    id: string;
    kind: 'train-model';
    resource: string;
    state: JobState;
    days: number;
    progress: number;
    step: string;
    created_ms: Big;
    started_ms: MaybeBig;
    ended_ms: MaybeBig;
    made_by: string;
    runner: string | null;
    heard_ms: MaybeBig;
    attempts: number;
    is_cancelled: boolean;
    version: string | null;
    problem: ColumnType<{ code: string; detail: string } | null, string | null, string | null>;
  };
  sequence_parts: { org_id: string; resource: string; window_ms: Big; part: string; body: Json<Part> };
  sequence_states: { org_id: string; resource: string; looked_ms: Big; body: Buffer };
}
