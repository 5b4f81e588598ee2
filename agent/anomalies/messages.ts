import { AnomalyKind, Direction } from '#proto/agent/v1/index.ts';
import type { AnomalyMessage } from '../pipeline/gathering.ts';
import type { Context, HostEvent } from './events.ts';
import type { KindEvent } from './kinds.ts';
import type { Speaker } from './watch.ts';

const TEXT_LIMIT = 1024;
const time = (ms: number): bigint => BigInt(Math.round(ms));

const causeOf = ({ series, nats, direction, channel, value, usual, timeMs }: Speaker) => ({
  metric: series.name.slice(0, TEXT_LIMIT),
  attributes: series.attributes,
  surprise: nats,
  direction: direction > 0 ? Direction.UP : direction < 0 ? Direction.DOWN : Direction.UNSPECIFIED,
  channel,
  value,
  expected: usual,
  timeMs: time(timeMs),
});

const contextOf = ({ kind, name, fromMs, toMs }: Context) => ({
  kind,
  name,
  fromMs: time(fromMs),
  toMs: time(toMs ?? 0),
});

/** An event of the host as it travels. */
export function messageOf(event: HostEvent): AnomalyMessage {
  return {
    id: event.id,
    revision: event.revision,
    kind: AnomalyKind.HOST,
    startMs: time(event.startMs),
    peakMs: time(event.peakMs),
    endMs: time(event.endMs ?? 0),
    score: event.score,
    surprise: event.evidence,
    causes: event.causes.map(causeOf),
    contexts: event.contexts.map(contextOf),
    templates: [...event.templates],
    model: event.model,
  };
}

/** Nats at which a kind of line scores 0.5: as surprising as one window of 150. */
const KIND_THRESHOLD = 5;

/** An event of a kind of lines as it travels; its cause is the count of its lines. */
export function messageOfKind({
  id,
  revision,
  kind,
  template,
  source,
  startMs,
  endMs,
  nats,
}: KindEvent): AnomalyMessage {
  const attributes = { 'outrider.log.template': template, 'outrider.log.source': source.slice(0, TEXT_LIMIT) };
  return {
    id,
    revision,
    kind,
    startMs: time(startMs),
    peakMs: time(startMs),
    endMs: time(endMs ?? 0),
    score: nats / (nats + KIND_THRESHOLD),
    surprise: nats,
    causes: [{ metric: 'outrider.log.template.lines', attributes, surprise: nats, timeMs: time(startMs) }],
    templates: [BigInt(`0x${template}`)],
  };
}
