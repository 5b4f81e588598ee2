import type { ColumnType } from 'kysely';
import type { Cause, Happening, Kind, SeriesName } from './event.ts';
import type { Verdict } from './sensitivity.ts';

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
    end_ms: ColumnType<string | number | null, number | null, number | null>;
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
    reported: ColumnType<string | number | null, number | null, number | null>;
    models: Json<ToldModel[]>;
    sent_ms: ColumnType<string | number | null, number | null, number | null>;
  };
}
