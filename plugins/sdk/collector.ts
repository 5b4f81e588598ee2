import type { Static, TObject } from 'typebox';
import type { MetricName, SeriesKind } from '#proto/metrics.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** The executable name under which the agent and its helpers are added up, so that nobody takes them for what the host does. */
export const OWN_PROGRAM = 'outrider-agent';

/** What tells two series of one metric apart, by OpenTelemetry attribute name. Reuse one object per device: identity is compared first. */
export type Attributes = Readonly<Record<string, string>>;

/** A metric that somebody else named: a scraped endpoint, StatsD, a program. */
export interface ForeignMetric {
  name: string;
  kind: SeriesKind;
}

/** Takes one value of this run, of a metric of the catalogue or a foreign one. The host adds the time. A value that is not finite is dropped. */
export type Emit = (metric: MetricName | ForeignMetric, value: number, attributes?: Attributes) => void;

/**
 * Reads one thing on a host. `collect` has no timer, timestamp or log of success: the schedule gives it those,
 * a deadline (the signal aborts then) and the promise that it is never called twice at once.
 */
export interface Collector {
  collect(emit: Emit, signal: AbortSignal): void | Promise<void>;
  stop?(): void;
}

/** What a collector is given. `root` is `/` in production and a folder of captured files in a test. */
export interface CollectorContext<Config> {
  config: Config;
  root: string;
  log: Logger;
  /** Replaces secrets in a text that is to leave the host, such as a command line. */
  redact(text: string): string;
  /** For shares of the time since the last run, and for patience; the time of a value is the schedule's. */
  clock: Clock;
  /** Milliseconds between two runs; absent where nobody knows. */
  intervalMs?: number;
}

/** A way to what a collector asks by address. Opening one does no I/O: the first question does. */
export interface Connection {
  /** Puts a question and gives the whole answer; rejects with the reason when there is none. After that the connection is closed. */
  ask(question: string, signal: AbortSignal): Promise<string>;
  close(): void;
}

/** Opens a connection to one target of the settings. A test gives one that answers from captured files. */
export type Connect<Target> = (target: Target) => Connection;

/** How a collector is declared; `plugins/collectors/catalogue.ts` lists those that ship. */
export interface CollectorDefinition<Schema extends TObject = TObject> {
  name: string;
  /** What it reads, in one sentence, for its generated page. */
  summary: string;
  platforms: readonly NodeJS.Platform[];
  /** Seconds between two runs unless the settings say otherwise. */
  intervalSeconds: number;
  /** False: it runs only where the settings ask for it, as what needs an address or a password must. True unless given. */
  enabled?: boolean;
  config: Schema;
  /** Says what this machine or the settings lack for it to tell anything; undefined when nothing is missing. */
  lacks?(config: Static<Schema>, root: string): string | undefined;
  /** One that asks by address takes how it connects as its second argument; it has its own when none is given. */
  create(context: CollectorContext<Static<Schema>>, connect?: Connect<{ name: string }>): Collector;
}

/** Declares a collector; its types follow from its settings schema. */
export function defineCollector<Schema extends TObject>(
  definition: CollectorDefinition<Schema>,
): CollectorDefinition<Schema> {
  return definition;
}
