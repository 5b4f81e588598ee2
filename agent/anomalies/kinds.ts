import { AnomalyKind } from '#proto/agent/v1/index.ts';
import type { Kind } from '../templates/index.ts';

/** After its first start an agent learns what lines are usual here for so long, milliseconds. */
const LEARN_MS = 3_600_000;
/** A kind that came again after so long a time is rare, milliseconds. */
const RARE_MS = 86_400_000;
/** A kind that came at least so often, and then did not for this many of its usual pauses and this long, has vanished. */
const REGULAR_LINES = 100;
const PAUSES = 30;
const VANISHED_MS = 900_000;
/** Usual lines of a kind are not told of as vanished when they have been coming for less than this, milliseconds. */
const ESTABLISHED_MS = 6 * 3_600_000;
/** Events of kinds in an hour; what is beyond them is a change of the program, which one event says as well as a hundred. */
const MOST_AN_HOUR = 20;
const HOUR_MS = 3_600_000;

/** Something about a kind of lines. */
export interface KindEvent {
  id: string;
  /** 1, then 2 when what vanished is back. */
  revision: number;
  kind: AnomalyKind.TEMPLATE_NEW | AnomalyKind.TEMPLATE_RARE | AnomalyKind.TEMPLATE_VANISHED;
  template: string;
  source: string;
  startMs: number;
  /** Undefined: it goes on. */
  endMs: number | undefined;
  /** How strange it is, in nats: −ln of the share of windows, or of pauses, that were as strange. */
  nats: number;
}

/** What was known of a kind at the last look. */
interface Before {
  lines: number;
  lastMs: number;
  /** Told of as vanished since. */
  missing: KindEvent | undefined;
}

/** Looks at the kinds of lines each window and says which are new, rare or missing. */
export function createKindEvents(sinceMs: number, newId: () => string) {
  /** By the kind's own number. */
  const before = new Map<number, Before>();
  const told: number[] = [];
  let looks = 0;
  let newLooks = 0;

  const mayTell = (nowMs: number): boolean => {
    while (Math.abs(nowMs - (told[0] ?? nowMs)) > HOUR_MS) told.shift();
    if (told.length >= MOST_AN_HOUR) return false;
    told.push(nowMs);
    return true;
  };
  const vanishedOf = ({ id, source, lines, firstMs, lastMs }: Kind, nowMs: number): KindEvent | undefined => {
    if (lines < REGULAR_LINES || lastMs - firstMs < ESTABLISHED_MS) return undefined;
    const pause = (lastMs - firstMs) / lines;
    const silent = nowMs - lastMs;
    if (silent < VANISHED_MS || silent < PAUSES * pause) return undefined;
    return { id: newId(), revision: 1, kind: AnomalyKind.TEMPLATE_VANISHED, template: id, source, startMs: lastMs, endMs: undefined, nats: silent / pause }; // prettier-ignore
  };
  /** Ends what is told of as vanished: it is back, or nobody looks for it any more. */
  const ended = ({ missing }: Before, nowMs: number): KindEvent[] =>
    missing === undefined ? [] : [{ ...missing, revision: 2, endMs: nowMs }];
  /** Lets go of kinds that the miner has forgotten or found to be others. */
  const letGo = (kinds: readonly Kind[], nowMs: number): KindEvent[] => {
    const there = new Set(kinds.map(({ number }) => number));
    return [...before].flatMap(([number, known]) => {
      if (there.has(number)) return [];
      before.delete(number);
      return ended(known, nowMs);
    });
  };
  return {
    /** What there is to tell when the agent ends. */
    stop: (nowMs: number): KindEvent[] => [...before.values()].flatMap((known) => ended(known, nowMs)),
    /** What there is to tell after a window. */
    look(kinds: readonly Kind[], nowMs: number): KindEvent[] {
      const isLearning = nowMs - sinceMs < LEARN_MS;
      const events: KindEvent[] = [];
      looks += 1;
      let isNew = false;
      for (const kind of kinds) {
        const known = before.get(kind.number);
        const about = {
          revision: 1,
          template: kind.id,
          source: kind.source,
          startMs: kind.firstMs,
          endMs: kind.lastMs,
        };
        if (known === undefined) {
          before.set(kind.number, { lines: kind.lines, lastMs: kind.lastMs, missing: undefined });
          if (!kind.isNew) continue;
          isNew = true;
          if (!isLearning && mayTell(nowMs))
            events.push({
              ...about,
              id: newId(),
              kind: AnomalyKind.TEMPLATE_NEW,
              nats: Math.log((looks + 1) / (newLooks + 1)),
            });
          continue;
        }
        if (kind.lines > known.lines) {
          if (known.missing !== undefined) events.push(...ended(known, nowMs));
          else if (kind.lastMs - known.lastMs > RARE_MS && mayTell(nowMs))
            events.push({ ...about, id: newId(), startMs: kind.lastMs, kind: AnomalyKind.TEMPLATE_RARE, nats: Math.log((kind.lastMs - known.lastMs) / HOUR_MS) }); // prettier-ignore
          known.missing = undefined;
        } else if (known.missing === undefined) {
          const gone = vanishedOf(kind, nowMs);
          if (gone !== undefined && mayTell(nowMs)) events.push((known.missing = gone));
        }
        known.lines = kind.lines;
        known.lastMs = kind.lastMs;
      }
      if (isNew) newLooks += 1;
      return [...events, ...letGo(kinds, nowMs)];
    },
  };
}
