import { randomUUID } from 'node:crypto';
import type { DetectionDocument } from '#proto/agent/v1/detection.ts';
import { AnomalyKind } from '#proto/agent/v1/index.ts';
import { reasonOf, type Cancel, type Clock, type Component, type Logger } from '#sdk';
import type { AnomalyMessage, TemplateMessage } from '../pipeline/gathering.ts';
import type { MetricBlock } from '../schedule.ts';
import { createTableBuilder, type TableBuilder } from '../table.ts';
import { createLineTemplates, type Kind, type LineTemplates } from '../templates/index.ts';
import { createContexts } from './contexts.ts';
import { createHostEvents, type HostEvent } from './events.ts';
import { createHostScore } from './host.ts';
import { createKindEvents } from './kinds.ts';
import { readMemory, writeMemory, type Learnt } from './memory.ts';
import { messageOf, messageOfKind } from './messages.ts';
import { createWatch, keyOfSeries, WINDOW_MS, type Speaker, type Window } from './watch.ts';

/** What was learnt is written down this often, milliseconds: a kill costs no more. */
const KEEP_MS = 600_000;
/** Series whose scores a window tells, and kinds of lines whose counts it tells. */
const TOLD_SERIES = 100;
const TOLD_KINDS = 50;

/** What judging stands on. */
export interface AnomaliesGiven {
  dataFolder: string;
  clock: Clock;
  log: Logger;
  /** When the machine started, milliseconds since 1970. */
  bootMs: number;
  /** Which of it is wanted. */
  detection: { metrics: boolean; templates: boolean };
  addBlock(block: MetricBlock): void;
  addAnomaly(event: AnomalyMessage): void;
  addTemplate(template: TemplateMessage): void;
}

/** What it has learnt, and what it finds now. */
export interface AnomaliesState {
  /** Series and kinds of lines that have a past. */
  series: number;
  templates: number;
  /** Of the last window: 0–1, an event is due from 0.5 on; null while the host is not known yet. */
  score: number | null;
  /** Since when the event that is open now, milliseconds since 1970; null when none is. */
  openSinceMs: number | null;
  /** Thresholds, of the host and of series, that people at the hub have moved. */
  moved: number;
}

/** Judges what the host does and what it writes, and tells of what is strange. */
export interface Anomalies extends Component {
  /** Takes one run of a collector; nothing of it is kept. */
  look(block: MetricBlock): void;
  /** Finds what kind of line each is; undefined where nobody asks. */
  templates: Pick<LineTemplates, 'find'> | undefined;
  /** Moves thresholds of the host and its series, as people at the hub have come to want it. */
  detectBy(document: DetectionDocument): void;
  state(): AnomaliesState;
}

/** Writes what was found as blocks, so that it goes the way of all samples; scores and counts have a table each, because they come at different times. */
function createTelling() {
  const [scores, counts] = [createTableBuilder(), createTableBuilder()];
  const blockOf = (table: TableBuilder, timeMs: number): MetricBlock | undefined => {
    const row = table.finish();
    return row === undefined ? undefined : { collector: 'anomalies', timeMs, ...row };
  };
  return {
    scores(endMs: number, score: number | null, speakers: readonly Speaker[]): MetricBlock | undefined {
      if (score !== null) scores.emit('outrider.host.anomaly.score', score);
      for (const { series, score: own } of speakers.slice(0, TOLD_SERIES))
        if (own >= 0.5)
          scores.emit('outrider.anomaly.score', own, { ...series.attributes, 'outrider.metric': series.name });
      return blockOf(scores, endMs);
    },
    counts(nowMs: number, kinds: readonly Kind[]): MetricBlock | undefined {
      for (const { id, source, lines } of kinds)
        counts.emit('outrider.log.template.lines', lines, {
          'outrider.log.template': id,
          'outrider.log.source': source,
        });
      return blockOf(counts, nowMs);
    },
  };
}

function say(event: HostEvent | undefined, { log, addAnomaly }: AnomaliesGiven): void {
  if (event === undefined) return;
  const causes = event.causes.slice(0, 3).map(({ series }) => series.name);
  if (event.revision === 1) log.info('the host behaves unlike its past', { event: event.id, causes });
  addAnomaly(messageOf(event));
}

function write(learnt: Learnt, { dataFolder, log }: AnomaliesGiven): void {
  try {
    writeMemory(dataFolder, learnt);
  } catch (error) {
    log.warn('what was learnt of the host could not be written down; it is tried again', { reason: reasonOf(error) });
  }
}

/** By the keys of series, the nats that their thresholds were moved by. */
const offsetsOf = (series: DetectionDocument['series']): Map<string, number> =>
  new Map(series.map(({ metric: name, attributes, offset }) => [keyOfSeries({ name, attributes }), offset]));

/** Makes what judges the host. */
export function createAnomalies(given: AnomaliesGiven): Anomalies {
  const { dataFolder, clock, log, detection, addAnomaly } = given;
  const memory = readMemory(dataFolder, log, clock.now());
  const watch = createWatch(memory);
  const host = createHostScore(memory.host);
  const events = createHostEvents(randomUUID);
  const kindEvents = createKindEvents(memory.sinceMs, randomUUID);
  const contexts = createContexts({ dataFolder, bootMs: given.bootMs, startMs: clock.now() });
  const templates = detection.templates
    ? createLineTemplates({ saved: memory.templates, nowMs: clock.now, tell: given.addTemplate })
    : undefined;
  const telling = createTelling();
  let score: number | null = null;
  let moved = 0;
  let cancels: Cancel[] = [];
  let kinds: readonly Kind[] = [];
  /** Templates that were first seen since the last window. */
  let fresh: bigint[] = [];

  const close = (window: Window): void => {
    const verdict = host.judge(window);
    score = verdict.isKnown ? verdict.score : null;
    const event = events.take(window, verdict, { contexts: contexts.at(window.endMs), templates: fresh, model: '' });
    fresh = [];
    if (event?.revision === 1) host.opened();
    say(event, given);
    const block = telling.scores(window.endMs, score, window.speakers);
    if (block !== undefined) given.addBlock(block);
  };
  const look = (block: MetricBlock): void => {
    if (!detection.metrics) return;
    const window = watch.look(block);
    if (window !== undefined) close(window);
  };
  /** Lines have no runs of collectors: their kinds are looked at on the clock. */
  const lookAtLines = (): void => {
    if (templates === undefined) return;
    const nowMs = clock.now();
    kinds = templates.kinds();
    for (const event of kindEvents.look(kinds, nowMs)) {
      if (detection.metrics && event.kind === AnomalyKind.TEMPLATE_NEW) fresh.push(BigInt(`0x${event.template}`));
      addAnomaly(messageOfKind(event));
    }
    const most = [...kinds].sort((a, b) => b.lines - a.lines).slice(0, TOLD_KINDS);
    const block = telling.counts(nowMs, most);
    if (block === undefined) return;
    given.addBlock(block);
    look(block); // How often a kind comes is a metric like all others.
  };
  const keep = (): void => write({ ...memory, templates: templates?.save() }, given);

  return {
    look,
    templates,
    detectBy({ offset, series }) {
      host.shift(offset);
      watch.shift(offsetsOf(series));
      moved = series.length + (offset === 0 ? 0 : 1);
    },
    state: () => ({
      series: watch.size(),
      templates: kinds.length,
      score,
      openSinceMs: events.current()?.startMs ?? null,
      moved,
    }),
    start() {
      cancels = [clock.every(KEEP_MS, keep), clock.every(WINDOW_MS, lookAtLines)];
      return Promise.resolve();
    },
    stop() {
      for (const cancel of cancels) cancel();
      say(events.stop(clock.now()), given);
      keep();
      return Promise.resolve();
    },
  };
}
