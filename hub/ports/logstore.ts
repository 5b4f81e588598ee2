import type { BatchKey } from './series.ts';

/** Levels in rising order, as numbers of proto/agent/v1 `Level`: 0 unknown, 1 debug, 2 info, 3 warn, 4 error, 5 fatal. */
export type LogLevelNumber = 0 | 1 | 2 | 3 | 4 | 5;

/** What wrote a line, as OpenTelemetry attributes (`k8s.pod.name`, `log.iostream`, …), at most some dozens of them. */
export type LogAttributes = Readonly<Record<string, string>>;

/** One line to store. */
export interface LogLineWrite {
  /** Milliseconds since 1970. */
  timeMs: number;
  level: LogLevelNumber;
  /** The file's path on the host. */
  source: string;
  text: string;
  truncated: boolean;
  /** Absent where there are none. */
  attributes?: LogAttributes | undefined;
  /** What kind of line it is: 16 hex digits in small letters; absent where nobody said. */
  template?: string | undefined;
  /** What stands in the place of the template's wildcards: parts of the text in their order that do not overlap. Absent where there are none. */
  parameters?: readonly string[] | undefined;
}

/** One batch of lines of one resource. */
export interface LogWrite {
  resource: string;
  key: BatchKey;
  lines: readonly LogLineWrite[];
}

/** A stored line. */
export interface StoredLine extends LogLineWrite {
  /** Opaque, unique, in the order of storing; what `context` takes. */
  id: string;
  resource: string;
}

/** What to look for. */
export interface LogFilter {
  /** Any of these; all when absent. */
  resources?: readonly string[];
  /** Milliseconds since 1970, inclusive. */
  from: number;
  /** Exclusive. */
  to: number;
  /** Substring, without regard to case. */
  text?: string;
  /** Substrings that must not appear. */
  without?: readonly string[];
  levels?: readonly LogLevelNumber[];
  source?: string;
  /** All names that are asked for must be there, each with any of its values. */
  attributes?: readonly { name: string; value: string }[];
  /** Any of these; all lines when absent. */
  templates?: readonly string[];
  /** None of these. */
  withoutTemplates?: readonly string[];
}

/** One page of lines. */
export interface LogPage {
  lines: StoredLine[];
  /** Lines that match; a lower bound when `complete` is false. */
  total: number;
  complete: boolean;
}

/** Lines per level in one step of time. */
export interface LogBucket {
  timeMs: number;
  /** By level number. */
  counts: readonly [number, number, number, number, number, number];
}

/** Lines of one template, or of none. */
export interface LogPattern {
  template: string | undefined;
  /** By level number. */
  counts: readonly [number, number, number, number, number, number];
  /** Times of its first and its last line in the range. */
  firstMs: number;
  lastMs: number;
  /** Lines per step of time, oldest first; steps without a line are absent. */
  steps: readonly { timeMs: number; count: number }[];
  /** The beginning of the text of its newest line. */
  example: string;
}

/** What lines of a range are made of. */
export interface LogPatterns {
  /** Those with most lines first. */
  patterns: LogPattern[];
  /** False when some are missing, or not all lines are counted. */
  complete: boolean;
}

/** Log lines. `append` may be called in parallel; batches of one agent and lane come in order. */
export interface LogStore {
  /** Resolves when the batch is durable (or was before). */
  append(org: string, write: LogWrite): Promise<void>;
  /** Newest first. */
  search(org: string, filter: LogFilter, page: { limit: number; offset: number }): Promise<LogPage>;
  /** Steps without a line are absent, and so are the oldest ones when the range holds more than can be read in seconds. `step` in milliseconds. */
  histogram(org: string, filter: LogFilter, step: number): Promise<LogBucket[]>;
  /** Lines by template; `step` in milliseconds, at most 100 of them in the range. */
  patterns(org: string, filter: LogFilter, step: number): Promise<LogPatterns>;
  /** The line and up to `around` lines before and after it in the same source, oldest first; empty when it is unknown. */
  context(org: string, id: string, around: number): Promise<StoredLine[]>;
  /** Sources of a resource with the time of their newest line. */
  sources(org: string, resource: string): Promise<{ source: string; lastMs: number }[]>;
  acknowledged(org: string, agent: string, epoch: bigint): Promise<{ live: bigint; backfill: bigint }>;
  deleteResource(org: string, resource: string): Promise<void>;
  /** `days` to keep, and bytes on disk over which the oldest sealed files go first. */
  retain(retention: { days: number; diskLimit: number }): Promise<void>;
  usage(): Promise<{ bytes: number; lines: number; oldestMs: number | undefined }>;
  check(): Promise<void>;
}
