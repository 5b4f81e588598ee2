import type { Window, Speaker } from './watch.ts';
import type { HostVerdict } from './host.ts';

/** An event begins in the first strange window of the last ones, so many are remembered. */
const REMEMBERED = 12;
/** So many calm windows end an event. */
const CALM_WINDOWS = 6;
/** An event that ended within this is gone on with when the host is strange again, milliseconds. */
const REOPENS_MS = 600_000;
/** After so long a strange state is the host's new normal, milliseconds. */
const LONGEST_MS = 6 * 3_600_000;
/** Causes that are told, and what happened on the host meanwhile. */
const CAUSES = 10;
const CONTEXTS = 10;
/** An open event is told again at most this often, milliseconds. */
const TELL_MS = 30_000;

/** Something that was done to the host. */
export interface Context {
  kind: string;
  name: string;
  fromMs: number;
  /** Undefined while it goes on. */
  toMs: number | undefined;
}

/** A time in which the host was unlike its past. */
export interface HostEvent {
  id: string;
  revision: number;
  startMs: number;
  /** When it was strange for long enough. */
  openedMs: number;
  peakMs: number;
  /** Undefined while it is open. */
  endMs: number | undefined;
  score: number;
  /** At the peak, in nats. */
  evidence: number;
  causes: readonly Speaker[];
  contexts: readonly Context[];
  templates: readonly bigint[];
  model: string;
}

/** What an event is told from. */
type Seen = Pick<Window, 'endMs' | 'speakers'>;

/** What comes with a window besides its verdict. */
export interface Beside {
  contexts: readonly Context[];
  /** New kinds of lines in it. */
  templates: readonly bigint[];
  /** Version of the model that judges; empty for none. */
  model: string;
}

/** A window, what was made of it, and what came with it. */
interface Look {
  window: Seen;
  verdict: HostVerdict;
  beside: Beside;
}

interface Open {
  event: HostEvent;
  /** By series, the strangest sample of the event. */
  causes: Map<string, Speaker & { weight: number }>;
  calm: number;
  toldMs: number;
  changed: boolean;
}

const keyOf = ({ series: { name, attributes } }: Speaker): string => name + JSON.stringify(attributes);

/** Series rank by their strangest sample; one that spoke in the window before the event or in its first ranks higher than one that only followed. */
function gather(causes: Open['causes'], speakers: readonly Speaker[], weight: number): void {
  for (const speaker of speakers.slice(0, 4 * CAUSES)) {
    const key = keyOf(speaker);
    const before = causes.get(key);
    if (before !== undefined && before.nats >= speaker.nats) continue;
    if (before === undefined && causes.size >= 200) continue;
    causes.set(key, { ...speaker, weight: Math.max(before?.weight ?? 0, weight) });
  }
}

/** What happened while an event was open, the first ten of it; what ended meanwhile is told with its end. */
function joined(before: readonly Context[], now: readonly Context[]): readonly Context[] {
  const all = new Map([...before, ...now].map((one) => [JSON.stringify([one.kind, one.name, one.fromMs]), one]));
  return [...all.values()].slice(0, CONTEXTS);
}

/** The most telling first; of one metric's series at most three, so that eight cores do not hide the disk. */
function ranked(causes: Open['causes']): Speaker[] {
  const sorted = [...causes.values()].sort((a, b) => b.weight * b.nats - a.weight * a.nats);
  const counts = new Map<string, number>();
  return sorted
    .filter(({ series: { name } }) => {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return count <= 3;
    })
    .slice(0, CAUSES)
    .map(({ weight: _, ...speaker }) => speaker);
}

/** An event begins with the first of the strange windows; one that has just ended goes on. */
function begin(before: Open | undefined, last: readonly Look[], newId: () => string): Open {
  const { window, beside } = last.at(-1)!;
  const nowMs = window.endMs;
  const isRecent = before?.event.endMs !== undefined && Math.abs(nowMs - before.event.endMs) < REOPENS_MS;
  if (before !== undefined && isRecent)
    return { ...before, event: { ...before.event, endMs: undefined }, calm: 0, changed: true };
  const calm = last.findLastIndex(({ verdict }) => verdict.isCalm);
  const first = last[calm + 1]?.window.endMs ?? nowMs;
  const event: HostEvent = {
    ...{ id: newId(), revision: 0, startMs: first - 10_000, openedMs: nowMs, peakMs: nowMs, endMs: undefined },
    ...{ score: 0, evidence: 0, causes: [], contexts: [], templates: [], model: beside.model },
  };
  return { event, causes: new Map(), calm: 0, toldMs: -Infinity, changed: true };
}

/** Opens an event when the host is strange for long enough, follows it to its peak and ends it when it has been calm. */
export function createHostEvents(newId: () => string) {
  const last: Look[] = [];
  let open: Open | undefined;
  /** After an event that lasted so long that it is the host's new normal, until the host is as usual again. */
  let isNormal = false;

  const follow = (state: Open, { window, verdict, beside }: Look): void => {
    gather(state.causes, window.speakers, window.endMs - state.event.startMs <= 30_000 ? 1.25 : 1);
    if (verdict.evidence > state.event.evidence) {
      state.event = { ...state.event, peakMs: window.endMs, evidence: verdict.evidence };
      state.changed = true;
    }
    if (verdict.score > state.event.score) state.event = { ...state.event, score: verdict.score };
    const templates = [...new Set([...state.event.templates, ...beside.templates])].slice(0, 20);
    const contexts = joined(state.event.contexts, beside.contexts);
    if (templates.length !== state.event.templates.length || contexts.length !== state.event.contexts.length)
      state.changed = true;
    state.event = { ...state.event, templates, contexts };
  };
  const tell = (state: Open, nowMs: number): HostEvent => {
    state.event = { ...state.event, revision: state.event.revision + 1, causes: ranked(state.causes) };
    state.toldMs = nowMs;
    state.changed = false;
    return state.event;
  };
  return {
    /** Takes a window with its verdict; returns the event when there is something new to tell of it. */
    take(window: Seen, verdict: HostVerdict, beside: Beside): HostEvent | undefined {
      const now = { window, verdict, beside };
      last.push(now);
      if (last.length > REMEMBERED) last.shift();
      const nowMs = window.endMs;
      if (open === undefined || open.event.endMs !== undefined) {
        if (!verdict.isKnown || verdict.score < 0.5) {
          isNormal = false;
          return undefined;
        }
        if (isNormal) return undefined;
        open = begin(open, last, newId);
        for (const before of last) if (before.window.endMs > open.event.startMs) follow(open, before);
        return tell(open, nowMs);
      }
      follow(open, now);
      open.calm = verdict.isCalm ? open.calm + 1 : 0;
      isNormal = nowMs - open.event.startMs >= LONGEST_MS;
      if (isNormal || open.calm >= CALM_WINDOWS) {
        open.event = { ...open.event, endMs: nowMs - 10_000 * open.calm };
        const ended = tell(open, nowMs);
        if (isNormal) open = undefined; // It is not gone on with.
        return ended;
      }
      return open.changed && Math.abs(nowMs - open.toldMs) >= TELL_MS ? tell(open, nowMs) : undefined;
    },
    /** The event that is open now. */
    current: (): HostEvent | undefined => (open?.event.endMs === undefined ? open?.event : undefined),
    /** Ends an open event because the agent ends. */
    stop(nowMs: number): HostEvent | undefined {
      if (open === undefined || open.event.endMs !== undefined) return undefined;
      open.event = { ...open.event, endMs: nowMs };
      return tell(open, nowMs);
    },
  };
}
