import type { Anomaly, Cause } from '../event.ts';
import type { Counts } from './counts.ts';
import {
  createSequenceDetector,
  type SequenceDetector,
  type SequenceOptions,
  type SequenceVerdict,
} from './detector.ts';
import { MOST_SOURCES, type HostWindow, type SourceWindow, type StreamPlace } from './part.ts';
import { renamed } from './renames.ts';
import type { SequenceSnapshot } from './snapshot.ts';
import { unseenSurprise } from './surprise.ts';

/** The metric that causes name: agents give its values themselves, of the most frequent kinds. */
export const LINES_METRIC = 'outrider.log.template.lines';
export const TEMPLATE_ATTRIBUTE = 'outrider.log.template';
export const SOURCE_ATTRIBUTE = 'outrider.log.source';

const WEEK_MS = 7 * 86_400_000;
/** False events that a host may have in a week, all its sources together. */
const FALSE_A_WEEK = 0.2;
/** What is remembered of a source: README.md has what it weighs. */
const LIMITS = { kinds: 256, templates: 512, sequences: 8192 };
const RENEWAL = 0.1;
/** Windows of a source that are known before it is judged, however long its first day was. */
const LEAST_KNOWN = 100;
/** Windows as ever after which an event is over, and windows after which what goes on is what is usual now. */
const CALM = 3;
const SETTLED = 24;
/** Lines that were not counted, beside those that were, from which share on a source's window is not judged. */
const MOST_STRAYS = 0.1;
const MOST_CAUSES = 10;
const MOST_TEMPLATES = 20;

/** What is known of one source. */
export interface SourceState {
  firstMs: number;
  lastMs: number;
  known: SequenceSnapshot | undefined;
  /** Strange windows of the open event: learned when it is over. */
  held: Counts[];
}

/** The event that goes on. */
export interface OpenEvent {
  id: string;
  revision: number;
  startMs: number;
  /** End of the last strange window. */
  lastMs: number;
  peakMs: number;
  score: number;
  surprise: number;
  causes: Cause[];
  templates: string[];
}

/** What is known of a host. */
export interface HostState {
  /** Start of the last window that was looked at. */
  lookedMs: number;
  place: StreamPlace | undefined;
  event: OpenEvent | undefined;
  sources: Map<string, SourceState>;
}

/** What a window is judged with. */
export interface Judging {
  windowMs: number;
  warmUpMs: number;
  /** Nats that the threshold of a source is higher because of what people said. */
  offsetOf(source: string): number;
  newId(): string;
}

/** What came of a window. */
export interface Judged {
  /** What is to be told; an event's newest word alone. */
  event: Anomaly | undefined;
  outcome: 'judged' | 'learned' | 'skipped';
}

/** A host of which nothing is known. */
export const unknownHost = (): HostState => ({
  lookedMs: 0,
  place: undefined,
  event: undefined,
  sources: new Map(),
});

/** The share of windows that may be told of falsely, so that a host with so many sources keeps to its week. */
export function optionsOf(windowMs: number, sources: number): SequenceOptions {
  const falsePositives = (FALSE_A_WEEK * windowMs) / (WEEK_MS * Math.max(1, sources));
  return { falsePositives, limits: LIMITS, renewal: RENEWAL, isWindow: true };
}

/** A source whose window is strange. */
interface Strange {
  source: string;
  state: SourceState;
  counts: Counts;
  score: number;
  surprise: number;
  causes: Cause[];
}

/** When a window was judged: its start, and how many windows of its source were known. */
interface When {
  timeMs: number;
  trained: number;
}

function causesOf(source: string, counts: Counts, why: SequenceVerdict['why'], { timeMs, trained }: When): Cause[] {
  const cause = (template: string, value: number, expected: number, surprise: number): Cause => ({
    metric: LINES_METRIC,
    attributes: { [SOURCE_ATTRIBUTE]: source, [TEMPLATE_ATTRIBUTE]: template },
    surprise,
    direction: value > expected ? 'up' : 'down',
    channel: 'count',
    value,
    expected,
    timeMs,
  });
  const unseen = unseenSurprise({ sequences: trained });
  return [
    ...why.unseen.map((template) => cause(template, counts.get(template) ?? 0, 0, unseen)),
    ...why.counts.map((odd) => cause(odd.template, odd.count, odd.expected, odd.surprise)),
  ];
}

/** Learns a window, in a memory that is looked through when many templates have come and gone. */
function learn(detector: SequenceDetector, state: SourceState, windows: readonly Counts[]): void {
  detector.train(windows);
  const known = detector.snapshot();
  state.known = known.habits.length > LIMITS.templates * 0.75 ? renamed(known, new Map()) : known;
}

function forgetOldest(sources: Map<string, SourceState>): void {
  while (sources.size > MOST_SOURCES) {
    const [oldest] = [...sources].sort(([, a], [, b]) => a.lastMs - b.lastMs);
    if (oldest !== undefined) sources.delete(oldest[0]);
  }
}

/** Judges one source, and learns it where it is as ever. */
function judgeSource(
  state: HostState,
  [source, { lines, strays, counts }]: readonly [string, SourceWindow],
  { startMs }: HostWindow,
  { windowMs, warmUpMs, offsetOf }: Judging,
): { isWarm: boolean; strange: Strange | undefined } | undefined {
  if (counts.size === 0 || strays > MOST_STRAYS * lines) return undefined;
  const own = state.sources.get(source) ?? { firstMs: startMs, lastMs: startMs, known: undefined, held: [] };
  state.sources.set(source, own);
  own.lastMs = startMs;
  const detector = createSequenceDetector(optionsOf(windowMs, state.sources.size), own.known);
  const trained = detector.trained();
  const isWarm = startMs - own.firstMs >= warmUpMs && trained >= LEAST_KNOWN;
  if (isWarm) {
    const verdict = detector.score(counts);
    const threshold = detector.threshold() + offsetOf(source);
    if (verdict.surprise >= threshold) {
      const causes = causesOf(source, counts, verdict.why, { timeMs: startMs, trained });
      const { surprise } = verdict;
      const score = 1 - 2 ** (-surprise / threshold);
      return { isWarm, strange: { source, state: own, counts, score, surprise, causes } };
    }
  }
  learn(detector, own, [counts]);
  return { isWarm, strange: undefined };
}

/** An event is over: what was strange in it has been seen, and is less strange from now on. */
function settle(state: HostState, windowMs: number): void {
  for (const source of state.sources.values()) {
    if (source.held.length === 0) continue;
    const detector = createSequenceDetector(optionsOf(windowMs, state.sources.size), source.known);
    learn(detector, source, source.held);
    source.held = [];
  }
  state.event = undefined;
}

const anomalyOf = ({ lastMs: _, ...event }: OpenEvent, endMs: number | null): Anomaly => ({
  ...event,
  kind: 'log-sequence',
  endMs,
  contexts: [],
  model: '',
});

/** Opens an event, or takes another strange window into the open one. */
function extend(
  state: HostState,
  strange: readonly Strange[],
  startMs: number,
  { windowMs, newId }: Judging,
): OpenEvent {
  const [first] = [...strange].sort((a, b) => b.score - a.score);
  const before = state.event;
  const event = before ?? {
    ...{ id: newId(), revision: 0, startMs, lastMs: startMs, peakMs: startMs, score: 0, surprise: 0 },
    ...{ causes: [], templates: [] },
  };
  if (first !== undefined && first.score > event.score) {
    const { score, surprise } = first;
    const causes = strange.flatMap((one) => one.causes).sort((a, b) => b.surprise - a.surprise);
    const templates = [...new Set(causes.map(({ attributes }) => attributes[TEMPLATE_ATTRIBUTE] ?? ''))];
    Object.assign(event, { score, surprise, peakMs: startMs });
    Object.assign(event, { causes: causes.slice(0, MOST_CAUSES), templates: templates.slice(0, MOST_TEMPLATES) });
  }
  event.revision += 1;
  event.lastMs = startMs + windowMs;
  for (const { state: source, counts } of strange) source.held.push(counts);
  state.event = event;
  return event;
}

/** Ends the open event where it was calm for long enough. */
function endWhenCalm(state: HostState, startMs: number, windowMs: number): Anomaly | undefined {
  const { event } = state;
  if (event === undefined || startMs + windowMs - event.lastMs < CALM * windowMs) return undefined;
  event.revision += 1;
  settle(state, windowMs);
  return anomalyOf(event, event.lastMs);
}

function rename(state: HostState, merged: ReadonlyMap<string, string>): void {
  for (const source of state.sources.values())
    if (source.known?.habits.some(([template]) => merged.has(template)) === true)
      source.known = renamed(source.known, merged);
}

/** Looks at the next window of a host: learns what is as ever, and tells of what is not. Windows come in their order. */
export function judgeWindow(state: HostState, window: HostWindow, judging: Judging): Judged {
  const { startMs } = window;
  const isWhole = window.isWholeAfter(state.place);
  state.place = window.place;
  state.lookedMs = startMs;
  if (window.merged.size > 0) rename(state, window.merged);
  if (!isWhole) return { event: endWhenCalm(state, startMs, judging.windowMs), outcome: 'skipped' };
  const judged = [...window.sources].flatMap((one) => judgeSource(state, one, window, judging) ?? []);
  forgetOldest(state.sources);
  const outcome = judged.some(({ isWarm }) => isWarm) ? 'judged' : 'learned';
  const strange = judged.flatMap((one) => one.strange ?? []);
  if (strange.length === 0) return { event: endWhenCalm(state, startMs, judging.windowMs), outcome };
  const event = extend(state, strange, startMs, judging);
  const hasSettled = event.lastMs - event.startMs >= SETTLED * judging.windowMs;
  if (hasSettled) settle(state, judging.windowMs);
  return { event: anomalyOf(event, hasSettled ? event.lastMs : null), outcome };
}
