import type { Attributes, Clock, Collector, Connect, Connection, Emit, Logger } from '#sdk';
import { failureOf, problems } from './errors.ts';
import type { Target } from './settings.ts';

/** Puts one question to a target. */
export type Ask = (question: string) => Promise<string>;

/** What a target said: values to emit, all at once and when the time has come. */
export interface Answer {
  tell(emit: Emit): void;
  /** Why it counts as not up all the same. */
  fault?: string;
}

/** Asks one target; made once for each, so that it may remember. */
export interface Reader {
  read(ask: Ask, signal: AbortSignal): Promise<Answer>;
  /** Emits what is said of every try, also of one that failed. */
  always?(emit: Emit, isUp: boolean, seconds: number): void;
}

/** What the targets of one collector are made of. */
export interface TargetsOptions<T extends Target> {
  collector: string;
  targets: readonly T[];
  /** `intervalMs` is that of the collector. */
  context: { clock: Clock; log: Logger; intervalMs?: number | undefined };
  connect: Connect<T>;
  reader(target: T): Reader;
}

interface Outcome {
  seconds: number;
  answer?: Answer;
  fault?: string | undefined;
}

/** How much of the time between two runs a run waits for its targets: one that needs longer is told in a later run. */
const PATIENCE = 0.9;

/** A run may come this much early and still find its targets due. */
const EARLY_MS = 100;

const REMIND_MS = 3_600_000;
const MOST_REASONS = 20;

/** Says once why a target does not answer, again an hour later, and once that it answers again. */
function createFaultLog(log: Logger, clock: Clock): (fault: string | undefined) => void {
  const told = new Map<string, number>();
  let isDown = false;
  return (fault) => {
    if (fault === undefined) {
      if (isDown) log.info('a target answers again');
      isDown = false;
      return;
    }
    const now = clock.monotonic();
    if (now - (told.get(fault) ?? -Infinity) < REMIND_MS) return;
    if (told.size >= MOST_REASONS) told.clear();
    told.set(fault, now);
    isDown = true;
    log.warn('a target does not answer', { reason: fault });
  };
}

/** One target of a collector: asked on its own, whatever its sisters do. */
function createLine<T extends Target>(target: T, { collector, context, connect, reader: make }: TargetsOptions<T>) {
  const { clock } = context;
  const attributes: Attributes = { 'outrider.collector': collector, 'outrider.target': target.name };
  const logFault = createFaultLog(context.log.child({ target: target.name }), clock);
  const reader = make(target);
  let connection: Connection | undefined;
  let abort: AbortController | undefined;
  let asking: Promise<void> | undefined;
  let outcome: Outcome | undefined;
  let dueAt = -Infinity;

  const drop = (): void => {
    connection?.close();
    connection = undefined;
  };

  const ask = async (): Promise<void> => {
    const ending = (abort = new AbortController());
    const begun = clock.monotonic();
    const seconds = (): number => (clock.monotonic() - begun) / 1000;
    const late = new Promise<never>((_resolve, reject) =>
      ending.signal.addEventListener('abort', () => reject(problems.late(`no answer within ${target.timeout} s`))),
    );
    const cancel = clock.after(target.timeout * 1000, () => ending.abort());
    try {
      const open = (connection ??= connect(target));
      const read = reader.read((question) => open.ask(question, ending.signal), ending.signal);
      const answer = await Promise.race([read, late]);
      outcome = { seconds: seconds(), answer, fault: answer.fault };
    } catch (error) {
      drop(); // What state it is in, nobody knows.
      const fault = ending.signal.aborted ? `no answer within ${target.timeout} s` : failureOf(error);
      outcome = { seconds: seconds(), fault };
    } finally {
      cancel();
      asking = undefined;
    }
  };

  return {
    /** Asks when it is time and nothing is under way; what is under way. */
    begin(): Promise<void> | undefined {
      const now = clock.monotonic();
      if (asking !== undefined || outcome !== undefined || now < dueAt - EARLY_MS) return asking;
      dueAt = now + target.interval * 1000;
      return (asking = ask());
    },
    /** Emits what came since the last time. */
    tell(emit: Emit): void {
      if (outcome === undefined) return;
      const { seconds, answer, fault } = outcome;
      outcome = undefined;
      logFault(fault);
      answer?.tell((metric, value, of) => Number.isFinite(value) && emit(metric, value, of));
      reader.always?.(emit, fault === undefined, seconds);
      emit('outrider.target.up', fault === undefined ? 1 : 0, attributes);
      emit('outrider.target.duration', seconds, attributes);
    },
    stop(): void {
      abort?.abort();
      drop();
    },
  };
}

/**
 * A collector that asks every target at once, each with a deadline and a connection of its own. A run waits for most of its interval; a target
 * that needs longer goes on and is told in the run after it answered, so that a slow one delays no other.
 */
export function createTargets<T extends Target>(options: TargetsOptions<T>): Collector {
  const { collector, targets, context } = options;
  const names = targets.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw problems.sameName(`collectors.${collector}.targets: two are named ${JSON.stringify(twice)}; give each a name of its own`); // prettier-ignore
  const lines = targets.map((target) => createLine(target, options));
  return {
    async collect(emit, signal) {
      lines.forEach((line) => line.tell(emit));
      const asking = lines.flatMap((line) => line.begin() ?? []);
      const waiting = new AbortController();
      const end = (): void => waiting.abort();
      signal.addEventListener('abort', end);
      const patience = context.intervalMs === undefined ? undefined : context.intervalMs * PATIENCE;
      await Promise.race([
        Promise.all(asking),
        ...(patience === undefined ? [] : [context.clock.sleep(patience, waiting.signal)]),
        new Promise<void>((resolve) => waiting.signal.addEventListener('abort', () => resolve())),
      ]);
      end();
      signal.removeEventListener('abort', end);
      lines.forEach((line) => line.tell(emit));
    },
    stop: () => lines.forEach((line) => line.stop()),
  };
}
