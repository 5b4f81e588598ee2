import { createCells, merge, put, readSlots, type Cells, type LineColumns, type StepPoints } from './cells.ts';

export type { LineColumns } from './cells.ts';

/** What charts read: a common axis of steps and the values of some lines on it. */
export interface Columns {
  /** Starts of the steps, milliseconds. */
  times: number[];
  lines: LineColumns[];
}

/** How long a step is, how much time is kept, and how far apart samples usually are; milliseconds. */
export interface BufferSize {
  stepMs: number;
  spanMs: number;
  sampleMs?: number;
}

/** Steps of many lines over a window of time that moves on. */
export interface StepBuffer {
  readonly stepMs: number;
  /** Takes what the hub knew of a line at `asOfMs`; it replaces what was there, but for live samples that are newer. */
  load(key: string, points: StepPoints, asOfMs: number): void;
  /** Takes a live sample, also a late one; one from before the window is left out. */
  add(key: string, timeMs: number, value: number): void;
  /** Values of the lines in every step that touches the time from `fromMs` to `toMs`. */
  read(keys: readonly string[], fromMs: number, toMs: number): Columns;
  /** The newest value of a line, unless it fell silent for `silentMs` while others went on. */
  newest(key: string, silentMs?: number): number | undefined;
  /** Grows with each change. */
  version(): number;
}

/** A sample may be this many windows ahead of the newest one; more is a clock that jumped, and must not wipe the window. */
const JUMP_WINDOWS = 10;

/** The steps that are kept: `head` is the newest one. */
function createRing(capacity: number) {
  const lines = new Map<string, Cells>();
  let head = -1;
  return {
    head: () => head,
    find: (key: string): Cells | undefined => lines.get(key),
    line(key: string): Cells {
      const there = lines.get(key) ?? createCells(capacity);
      lines.set(key, there);
      return there;
    },
    advance(step: number): void {
      if (step <= head) return;
      const stale = Math.min(step - head, capacity);
      for (const { count } of lines.values())
        for (let back = 0; back < stale; back++) count[(step - back) % capacity] = 0;
      head = step;
    },
    /** Where a step lies; -1 when it is outside of the window. */
    slot: (step: number): number => (step >= 0 && step <= head && step > head - capacity ? step % capacity : -1),
  };
}

/**
 * Makes an empty one. The hub's history is loaded into it, live samples are merged into the step that they belong to, and what is older than
 * the window is overwritten: memory stays the same however long it runs.
 */
export function createBuffer({ stepMs, spanMs, sampleMs = 1000 }: BufferSize): StepBuffer {
  const capacity = Math.ceil(spanMs / stepMs) + 3;
  const ring = createRing(capacity);
  const perStep = Math.max(1, Math.round(stepMs / sampleMs));
  let version = 0;
  let newestMs = 0;
  const stepOf = (ms: number): number => Math.floor(ms / stepMs);

  const loadPoint = (cells: Cells, points: StepPoints, index: number, asOfMs: number): void => {
    const step = stepOf(points.times[index] ?? 0);
    ring.advance(step);
    const slot = ring.slot(step);
    if (slot < 0) return;
    // The step that was still open when the hub answered holds what had arrived by then; a newer live sample stays.
    const open = step === stepOf(asOfMs);
    const newer = open && (cells.count[slot] ?? 0) > 0 && cells.lastMs > asOfMs ? cells.last[slot] : undefined;
    const held = open ? Math.ceil((asOfMs - step * stepMs) / sampleMs) : perStep;
    const [avg, min, max] = [points.avg[index] ?? 0, points.min[index] ?? 0, points.max[index] ?? 0];
    put(cells, slot, { count: Math.min(perStep, Math.max(1, held)), avg, min, max });
    cells.last[slot] = newer ?? points.last[index] ?? avg;
    if (newer !== undefined) merge(cells, slot, newer);
  };

  return {
    stepMs,
    load(key, points, asOfMs) {
      const cells = ring.line(key);
      for (let index = 0; index < points.times.length; index++) loadPoint(cells, points, index, asOfMs);
      const last = points.times.at(-1);
      if (last !== undefined) newestMs = Math.max(newestMs, Math.min(asOfMs, last + stepMs));
      version += 1;
    },
    add(key, timeMs, value) {
      if (!Number.isFinite(value) || (newestMs > 0 && timeMs - newestMs > JUMP_WINDOWS * spanMs)) return;
      const cells = ring.line(key);
      ring.advance(stepOf(timeMs));
      const slot = ring.slot(stepOf(timeMs));
      if (slot < 0) return;
      merge(cells, slot, value);
      if (timeMs >= cells.lastMs) [cells.lastMs, cells.last[slot]] = [timeMs, value];
      newestMs = Math.max(newestMs, timeMs);
      version += 1;
    },
    read(keys, fromMs, toMs) {
      const first = Math.max(0, stepOf(fromMs));
      const length = Math.max(0, Math.min(capacity + 1, stepOf(toMs) - first + 1));
      const slots = Array.from({ length }, (_, index) => ring.slot(first + index));
      const times = Array.from({ length }, (_, index) => (first + index) * stepMs);
      return { times, lines: keys.map((key) => readSlots(ring.find(key), slots)) };
    },
    newest(key, silentMs = 30_000) {
      const cells = ring.find(key);
      const back = Math.max(1, Math.ceil(silentMs / stepMs));
      for (let step = ring.head(); cells !== undefined && step >= ring.head() - back; step--) {
        const slot = ring.slot(step);
        if (slot >= 0 && (cells.count[slot] ?? 0) > 0) return cells.last[slot];
      }
      return undefined;
    },
    version: () => version,
  };
}
