import { randomUUID } from 'node:crypto';
import type { DetectionDocument } from '#proto/agent/v1/detection.ts';
import { AnomalyKind } from '#proto/agent/v1/index.ts';
import { reasonOf, type Cancel, type Clock, type Component, type Logger } from '#sdk';
import type { AnomalyMessage, TemplateMessage } from '../pipeline/gathering.ts';
import type { MetricBlock } from '../schedule.ts';
import { createTableBuilder, type TableBuilder } from '../table.ts';
import { createLineTemplates, isSavedTemplates, type Kind, type LineTemplates } from '../templates/index.ts';
import { createContexts } from './contexts.ts';
import { createHostEvents, type HostEvent } from './events.ts';
import { createHostScore } from './host.ts';
import { createKindEvents } from './kinds.ts';
import { readMemory, writeMemory, type Learnt } from './memory.ts';
import { messageOf, messageOfKind } from './messages.ts';
import { withCauses } from './models/judge.ts';
import { createModelJudges, type ModelAlias, type ModelFindings, type ModelJudges } from './models/judges.ts';
import { createOwnModel, type OwnGiven, type OwnState } from './models/own.ts';
import { createWatch, keyOfSeries, WINDOW_MS, type Window } from './watch.ts';

export type { OwnState } from './models/own.ts';

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
  detection: { metrics: boolean; templates: boolean; tensorFlow: boolean; train: boolean };
  /** What the agent's own model is trained by. */
  training: Pick<OwnGiven, 'entry' | 'isStrained' | 'limits'>;
  addBlock(block: MetricBlock): void;
  addAnomaly(event: AnomalyMessage): void;
  addTemplate(template: TemplateMessage): void;
}

/** What it has learnt, and what it finds now. */
export interface AnomaliesState {
  /** Series and kinds of lines that have a past. */
  series: number;
  templates: number;
  /** Of the last window: 0–1, an event is due from 0.5 on; null while there is none. */
  score: number | null;
  /** Why there is no score, if that is not for a window or two; absent where an older agent wrote this. */
  waits?: 'metrics-off' | 'learning' | null;
  /** Since when the event that is open now, milliseconds since 1970; null when none is. */
  openSinceMs: number | null;
  /** Thresholds, of the host and of series, that people at the hub have moved. */
  moved: number;
  /** The models that look at the host; absent where an older agent wrote this. */
  models?: ModelsState;
}

/** A model, as it is told. */
export interface ToldModel {
  alias: ModelAlias;
  version: string;
  /** When it was learnt, milliseconds since 1970. */
  createdMs: number;
}

/** The models that look at the host. */
export interface ModelsState {
  /** The one that judges, and the one whose score is only told; null for none. */
  judge: ToldModel | null;
  shadow: ToldModel | null;
  /** Why one that the hub gave has not its place. */
  problems: string[];
  own: OwnState;
}

/** Judges what the host does and what it writes, and tells of what is strange. */
export interface Anomalies extends Component {
  /** Takes one run of a collector; nothing of it is kept. */
  look(block: MetricBlock): void;
  /** Finds what kind of line each is; undefined where nobody asks. */
  templates: Pick<LineTemplates, 'find'> | undefined;
  /** Moves thresholds of the host and its series, as people at the hub have come to want it. */
  detectBy(document: DetectionDocument): void;
  /** Where models take their places. */
  judges: ModelJudges;
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
    scores(
      { endMs, speakers }: Window,
      score: number | null,
      models: ModelFindings['scores'],
    ): MetricBlock | undefined {
      if (score !== null) scores.emit('outrider.host.anomaly.score', score);
      for (const { alias, version, score: own } of models)
        scores.emit('outrider.host.model.score', own, {
          'outrider.model.alias': alias,
          'outrider.model.version': version,
        });
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

function modelsState(judges: ModelJudges, own: OwnState): ModelsState {
  const told = (alias: ModelAlias | undefined): ToldModel | null => {
    const model = alias === undefined ? undefined : judges.seated(alias);
    return alias === undefined || model === undefined
      ? null
      : { alias, version: model.document.version, createdMs: model.document.createdMs };
  };
  const problems = (['champion', 'shadow'] as const).map((alias) => judges.problem(alias)).filter((one) => one !== '');
  return { judge: told(judges.judging()), shadow: told('shadow'), problems, own };
}

/** By the keys of series, the nats that their thresholds were moved by. */
const offsetsOf = (series: DetectionDocument['series']): Map<string, number> =>
  new Map(series.map(({ metric: name, attributes, offset }) => [keyOfSeries({ name, attributes }), offset]));

/** What is found of lines: which kind each is, how often kinds come, and which are strange. */
function createLines({ clock, detection, addTemplate, addAnomaly }: AnomaliesGiven, memory: Learnt) {
  // Where no kinds are known, all are new, however old the data folder is.
  const kindEvents = createKindEvents(isSavedTemplates(memory.templates) ? memory.sinceMs : clock.now(), randomUUID);
  const templates = detection.templates
    ? createLineTemplates({ saved: memory.templates, nowMs: clock.now, tell: addTemplate })
    : undefined;
  let kinds: readonly Kind[] = [];
  /** Templates that were first seen since the last window. */
  let fresh: bigint[] = [];
  return {
    templates,
    kinds: () => kinds.length,
    /** Tells of what is strange; returns the kinds that come most. */
    look(nowMs: number): Kind[] {
      kinds = templates?.kinds() ?? [];
      for (const event of kindEvents.look(kinds, nowMs)) {
        if (detection.metrics && event.kind === AnomalyKind.TEMPLATE_NEW) fresh.push(BigInt(`0x${event.template}`));
        addAnomaly(messageOfKind(event));
      }
      return [...kinds].sort((a, b) => b.lines - a.lines).slice(0, TOLD_KINDS);
    },
    /** What was learnt of lines; of an earlier run where this one looks at none. */
    save: (): unknown => templates?.save() ?? memory.templates,
    stop(nowMs: number): void {
      for (const event of kindEvents.stop(nowMs)) addAnomaly(messageOfKind(event));
    },
    takeFresh(): bigint[] {
      const taken = fresh;
      fresh = [];
      return taken;
    },
  };
}

/** Makes what judges the host. */
export function createAnomalies(given: AnomaliesGiven): Anomalies {
  const { dataFolder, clock, log, detection } = given;
  const memory = readMemory(dataFolder, log, clock.now());
  const watch = createWatch(memory);
  const host = createHostScore(memory.host);
  const events = createHostEvents(randomUUID);
  const contexts = createContexts({ dataFolder, bootMs: given.bootMs, startMs: clock.now() });
  const lines = createLines(given, memory);
  const telling = createTelling();
  const judges = createModelJudges({ log, detection, saved: memory.models });
  const own = createOwnModel({
    ...{ ...given.training, dataFolder, clock, log, isWanted: detection.metrics && detection.train },
    isAlone: () => judges.judging() !== 'champion',
    learned: (model) => judges.seat('own', model),
  });
  let score: number | null = null;
  let moved = 0;
  let cancels: Cancel[] = [];

  const close = (window: Window): void => {
    const { verdict: word, version: model, scores } = judges.judge(window);
    const verdict = host.judge(window, word);
    score = verdict.isKnown ? verdict.score : null;
    const speakers = withCauses(window.speakers, word);
    const beside = { contexts: contexts.at(window.endMs), templates: lines.takeFresh(), model };
    const event = events.take({ endMs: window.endMs, speakers }, verdict, beside);
    if (event?.revision === 1) host.opened();
    say(event, given);
    const block = telling.scores(window, score, scores);
    if (block !== undefined) given.addBlock(block);
    own.look(window);
  };
  const look = (block: MetricBlock): void => {
    if (!detection.metrics) return;
    const window = watch.look(block);
    if (window !== undefined) close(window);
  };
  /** Lines have no runs of collectors: their kinds are looked at on the clock. */
  const lookAtLines = (): void => {
    if (lines.templates === undefined) return;
    const nowMs = clock.now();
    const block = telling.counts(nowMs, lines.look(nowMs));
    if (block === undefined) return;
    given.addBlock(block);
    look(block); // How often a kind comes is a metric like all others.
  };
  const keep = (): void =>
    write({ ...memory, templates: lines.save(), models: detection.metrics ? judges.save() : memory.models }, given);

  return {
    look,
    templates: lines.templates,
    judges,
    detectBy({ offset, series }) {
      host.shift(offset);
      watch.shift(offsetsOf(series));
      moved = series.length + (offset === 0 ? 0 : 1);
    },
    state: () => ({
      series: watch.size(),
      templates: lines.kinds(),
      score,
      waits: !detection.metrics ? 'metrics-off' : host.isKnown() ? null : 'learning',
      openSinceMs: events.current()?.startMs ?? null,
      moved,
      models: modelsState(judges, own.state()),
    }),
    start() {
      cancels = [clock.every(KEEP_MS, keep), clock.every(WINDOW_MS, lookAtLines)];
      return Promise.resolve();
    },
    async stop() {
      for (const cancel of cancels) cancel();
      say(events.stop(clock.now()), given);
      lines.stop(clock.now());
      keep();
      await own.stop();
    },
  };
}
