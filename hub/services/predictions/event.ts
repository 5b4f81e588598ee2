import { fromBinary } from '@bufbuild/protobuf';
import { sliceAnomalies } from '#proto/agent/v1/blocks.ts';
import {
  AnomalyEventSchema,
  AnomalyKind,
  Direction,
  type AnomalyCause,
  type AnomalyContext,
  type AnomalyEvent,
} from '#proto/agent/v1/index.ts';
import { shiftOf, type BatchReceived } from '#proto/subjects.ts';

/** What an event can be of. */
export const KINDS = ['host', 'template-new', 'template-rare', 'template-vanished', 'log-sequence'] as const;
export type Kind = (typeof KINDS)[number];

/** One series, by name and attributes. */
export interface SeriesName {
  metric: string;
  attributes: Readonly<Record<string, string>>;
}

/** One series' part in an event. Values are in the metric's unit, null where the agent gave none that is a number. */
export interface Cause extends SeriesName {
  surprise: number;
  direction: 'up' | 'down' | '';
  channel: string;
  value: number | null;
  expected: number | null;
  timeMs: number;
}

/** What happened on the host at the time. */
export interface Happening {
  kind: string;
  name: string;
  fromMs: number;
  toMs: number | null;
}

/** An event, bounded and by the hub's clock. */
export interface Anomaly {
  id: string;
  revision: number;
  kind: Kind;
  startMs: number;
  peakMs: number;
  /** Null while it goes on. */
  endMs: number | null;
  score: number;
  surprise: number;
  causes: Cause[];
  contexts: Happening[];
  /** Ids of log templates, 16 hex digits. */
  templates: string[];
  model: string;
}

/** Events that one batch may hold, and bytes of one. An agent has few at a time, of some kilobytes. */
const BOUNDS = { most: 200, mostBytes: 32_768 };
const MOST_CAUSES = 10;
const MOST_CONTEXTS = 10;
const MOST_TEMPLATES = 20;
const MOST_ATTRIBUTES = 32;
const TEXT_LENGTH = 1024;
const MODEL_LENGTH = 128;
const WORD_LENGTH = 64;
const MOST_SURPRISE = 1e6;
/** No event lies further ahead of its arrival: it would stand before all others for ever. */
const AHEAD_MS = 60_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const KIND_NAMES: Partial<Record<AnomalyKind, Kind>> = {
  [AnomalyKind.HOST]: 'host',
  [AnomalyKind.TEMPLATE_NEW]: 'template-new',
  [AnomalyKind.TEMPLATE_RARE]: 'template-rare',
  [AnomalyKind.TEMPLATE_VANISHED]: 'template-vanished',
};

/** PostgreSQL's texts hold no NUL, and no half of a pair, which a cut may leave. */
export const textOf = (text: string, length: number): string =>
  text
    .replaceAll('\0', '')
    .slice(0, length)
    .replace(/[\uD800-\uDBFF]$/, '');
const within = (value: number, most: number): number => (value >= 0 ? Math.min(value, most) : 0);
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Puts times right by what the agent's clock is off. */
interface Times {
  of(timeMs: bigint): number;
}

function causeOf(cause: AnomalyCause, times: Times): Cause {
  const attributes = Object.entries(cause.attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST_ATTRIBUTES)
    .map(([name, value]) => [textOf(name, TEXT_LENGTH), textOf(value, TEXT_LENGTH)] as const);
  return {
    metric: textOf(cause.metric, TEXT_LENGTH),
    attributes: Object.fromEntries(attributes),
    surprise: within(cause.surprise, MOST_SURPRISE),
    direction: cause.direction === Direction.UP ? 'up' : cause.direction === Direction.DOWN ? 'down' : '',
    channel: textOf(cause.channel, WORD_LENGTH),
    value: finite(cause.value),
    expected: finite(cause.expected),
    timeMs: times.of(cause.timeMs),
  };
}

function happeningOf({ kind, name, fromMs, toMs }: AnomalyContext, times: Times): Happening {
  const from = times.of(fromMs);
  return {
    kind: textOf(kind, WORD_LENGTH),
    name: textOf(name, TEXT_LENGTH),
    fromMs: from,
    toMs: toMs === 0n ? null : Math.max(from, times.of(toMs)),
  };
}

function anomalyOf(event: AnomalyEvent, times: Times): Anomaly | undefined {
  const id = event.id.toLowerCase();
  const kind = KIND_NAMES[event.kind];
  if (kind === undefined || !UUID.test(id)) return undefined;
  const startMs = times.of(event.startMs);
  const endMs = event.endMs === 0n ? null : Math.max(startMs, times.of(event.endMs));
  return {
    id,
    revision: event.revision,
    kind,
    startMs,
    peakMs: Math.min(Math.max(startMs, times.of(event.peakMs)), endMs ?? Infinity),
    endMs,
    score: within(event.score, 1),
    surprise: within(event.surprise, MOST_SURPRISE),
    causes: event.causes
      .slice(0, MOST_CAUSES)
      .map((cause) => causeOf(cause, times))
      .filter(({ metric }) => metric !== ''),
    contexts: event.contexts.slice(0, MOST_CONTEXTS).map((context) => happeningOf(context, times)),
    templates: event.templates.slice(0, MOST_TEMPLATES).map((template) => template.toString(16).padStart(16, '0')),
    model: textOf(event.model, MODEL_LENGTH),
  };
}

/** Bytes as an event; undefined when they are none that can be kept. */
function read(bytes: Uint8Array, times: Times): Anomaly | undefined {
  try {
    return anomalyOf(fromBinary(AnomalyEventSchema, bytes), times);
  } catch {
    return undefined; // It is counted with those that are out of bounds.
  }
}

/**
 * The events of a batch, of each its newest revision, and how many were left out because nobody could keep them. What is no `Metrics` message at all holds none: it
 * is for the owner of the samples to refuse the batch, so that its agent hears one reason.
 */
export function anomaliesOf(batch: Pick<BatchReceived, 'metrics' | 'skewMs' | 'receivedMs'>): {
  events: Anomaly[];
  leftOut: number;
} {
  const shift = shiftOf(batch.skewMs);
  const latest = batch.receivedMs + AHEAD_MS;
  const times: Times = { of: (timeMs) => Math.max(0, Math.min(latest, Math.round(Number(timeMs) - shift))) };
  let found: ReturnType<typeof sliceAnomalies>;
  try {
    found = sliceAnomalies(batch.metrics, BOUNDS);
  } catch {
    return { events: [], leftOut: 1 };
  }
  const newest = new Map<string, Anomaly>();
  let { leftOut } = found;
  for (const bytes of found.events) {
    const event = read(bytes, times);
    if (event === undefined) leftOut += 1;
    else if (event.revision >= (newest.get(event.id)?.revision ?? 0)) newest.set(event.id, event);
  }
  return { events: [...newest.values()], leftOut };
}

/** What tells one series of a host from the others. */
export const seriesKey = ({ metric, attributes }: SeriesName): string =>
  JSON.stringify([metric, ...Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))]);
