import { reasonOf, type Clock, type Logger } from '#sdk';
import { FEWEST_CHOSEN, learnInProcess, type HostModel } from '../../../plugins/models/index.ts';
import { keyOfSeries, WINDOW_MS, type Window } from '../watch.ts';
import { createColumnChoice } from './columns.ts';
import { beginRows, openRows, type RowFile } from './rows.ts';
import { createShelf, type Shelf } from './shelf.ts';

/** Rows that go on after a longer pause than this are begun anew, milliseconds. */
const MOST_GAP_MS = 2 * 86_400_000;

/** How much an agent sees before it learns, and how often it does. */
export interface OwnLimits {
  /** Windows in which it is seen which series move. */
  choosing: number;
  /** Windows from which a model is learnt. */
  rows: number;
  /** From one model to the next, milliseconds. */
  againMs: number;
  /** After a failure, and after a training that was ended because the agent was strained, milliseconds. */
  retryMs: number;
  pauseMs: number;
}

const OWN_LIMITS: OwnLimits = {
  choosing: 360,
  rows: 8640,
  againMs: 7 * 86_400_000,
  retryMs: 86_400_000,
  pauseMs: 600_000,
};

/** What learning a model of one's own stands on. */
export interface OwnGiven {
  dataFolder: string;
  clock: Clock;
  log: Logger;
  /** Whether it is wanted at all. */
  isWanted: boolean;
  /** The program that trains and ends; undefined where there is none. */
  entry: string | undefined;
  /** True while the agent is over a budget. */
  isStrained(): boolean;
  /** True while the hub has given no model that judges. */
  isAlone(): boolean;
  /** Takes a model that was found or learnt. */
  learned(model: HostModel): void;
  limits?: OwnLimits | undefined;
}

/** How far it is. `impossible`: no program is there that trains; `aside`: a model of the hub judges; `resting`: the next one is not due yet. */
export type OwnPhase = 'off' | 'impossible' | 'aside' | 'choosing' | 'gathering' | 'waiting' | 'training' | 'resting';

/** What is told of it. */
export interface OwnState {
  phase: OwnPhase;
  /** Windows that are gathered, and how many it takes. */
  rows: number;
  of: number;
  /** Of a training, 0–1. */
  progress: number;
  /** When the next model is due at the earliest, milliseconds since 1970; 0: as soon as it can be. */
  dueMs: number;
  /** Why the last attempt failed; empty when it did not. */
  problem: string;
}

/** The model that an agent learns by itself while no hub gives it one. */
export interface OwnModel {
  /** Takes a window; nothing of it is kept but its row on the disk. */
  look(window: Window): void;
  state(): OwnState;
  /** Ends a training that goes on. */
  stop(): Promise<void>;
}

/** A training that goes on. */
interface Training {
  ending: AbortController;
  done: Promise<void>;
  /** 0–1. */
  progress: number;
}

/** The state of learning. */
interface Machine {
  readonly given: OwnGiven;
  readonly limits: OwnLimits;
  readonly shelf: Shelf;
  choice: ReturnType<typeof createColumnChoice>;
  rows: RowFile | undefined;
  /** Keys of the rows' series. */
  keys: string[];
  training: Training | undefined;
  /** Nothing is gathered, and nothing learnt, before these times. */
  gatherFromMs: number;
  dueMs: number;
  problem: string;
}

/** The next model is due a while after one; what it is learnt from is gathered in time. */
function rest(machine: Machine, createdMs: number): void {
  const { againMs, choosing, rows } = machine.limits;
  machine.dueMs = createdMs + againMs;
  machine.gatherFromMs = machine.dueMs - (choosing + rows) * WINDOW_MS;
}

function useRows(machine: Machine, rows: RowFile | undefined): void {
  machine.rows = rows;
  machine.keys = (rows?.series ?? []).map(({ metric: name, attributes }) => keyOfSeries({ name, attributes }));
  machine.choice = createColumnChoice();
}

function fail(machine: Machine, error: unknown): void {
  const { clock, log } = machine.given;
  machine.problem = reasonOf(error).slice(0, 500);
  machine.dueMs = clock.now() + machine.limits.retryMs;
  log.warn('no model of this host could be learnt; it is tried again later', { reason: machine.problem });
  try {
    machine.shelf.noteTried(clock.now(), machine.problem);
  } catch {
    // The disk that takes nothing may be the reason; this run knows it all the same.
  }
}

/** Goes on from what lies on the disk. */
function resume(machine: Machine): void {
  const { given, limits, shelf } = machine;
  const model = shelf.model();
  if (model !== undefined) {
    rest(machine, Math.min(model.document.createdMs, given.clock.now()));
    given.learned(model);
  }
  if (given.entry === undefined) return;
  const tried = shelf.tried();
  if (tried !== undefined) {
    machine.problem = tried.problem === '' ? 'the agent ended while it was learnt' : tried.problem;
    machine.dueMs = Math.max(machine.dueMs, tried.atMs + limits.retryMs);
  }
  useRows(machine, openRows(shelf.rows));
}

function choose(machine: Machine, window: Window): void {
  machine.choice.look(window);
  if (machine.choice.windows() < machine.limits.choosing) return;
  const series = machine.choice.chosen();
  if (series.length >= FEWEST_CHOSEN) return useRows(machine, beginRows(machine.shelf.rows, series));
  machine.choice = createColumnChoice();
  throw new Error(`${series.length} series of this host move; a model takes ${FEWEST_CHOSEN}`);
}

function add({ keys }: Machine, rows: RowFile, { endMs, valueOf }: Window): void {
  const values = Float64Array.from(keys, valueOf);
  const present = values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0);
  if (2 * present >= values.length) rows.append(endMs, values);
}

function keep(machine: Machine, model: HostModel, rows: RowFile): void {
  const { shelf, given } = machine;
  shelf.keepModel(model);
  shelf.forgetTried();
  rows.remove();
  useRows(machine, undefined);
  rest(machine, model.document.createdMs);
  machine.problem = '';
  const { version, features } = model.document;
  const facts = { model: version, rows: rows.count(), series: features.length };
  given.log.info('a model of this host was learnt and judges it', facts);
  given.learned(model);
}

function train(machine: Machine, rows: RowFile, program: string): void {
  const { given, shelf } = machine;
  const ending = new AbortController();
  const createdMs = given.clock.now();
  shelf.noteTried(createdMs, ''); // An agent that dies of it does not do it again at once.
  const training: Training = { ending, done: Promise.resolve(), progress: 0 };
  const learn = learnInProcess({
    ...{ entry: [program], clock: given.clock, signal: ending.signal },
    onProgress: ({ epoch, epochs }) => void (training.progress = epoch / epochs),
  });
  const version = `own-${new Date(createdMs).toISOString().slice(0, 19)}`;
  training.done = learn({ series: rows.series, rows: rows.rows, version, createdMs })
    .then((model) => {
      if (!ending.signal.aborted) keep(machine, model, rows);
    })
    .catch((error: unknown) => {
      if (!ending.signal.aborted) fail(machine, error);
    })
    .finally(() => {
      if (ending.signal.aborted) shelf.forgetTried();
      machine.training = undefined;
    });
  machine.training = training;
}

function step(machine: Machine, window: Window, program: string): void {
  const { given, limits } = machine;
  const nowMs = given.clock.now();
  if (machine.training !== undefined) {
    if (!given.isStrained()) return;
    machine.dueMs = nowMs + limits.pauseMs;
    machine.training.ending.abort();
    return;
  }
  if (nowMs < machine.gatherFromMs) return;
  if (machine.rows !== undefined && machine.rows.count() > 0 && window.endMs - machine.rows.lastMs() > MOST_GAP_MS) {
    machine.rows.remove();
    useRows(machine, undefined);
  }
  const { rows } = machine;
  if (rows === undefined) choose(machine, window);
  else if (rows.count() < limits.rows) add(machine, rows, window);
  else if (nowMs >= machine.dueMs && !given.isStrained()) train(machine, rows, program);
}

function phaseOf({ given, limits, training, gatherFromMs, rows }: Machine): OwnPhase {
  if (!given.isWanted) return 'off';
  if (given.entry === undefined) return 'impossible';
  if (!given.isAlone()) return 'aside';
  if (training !== undefined) return 'training';
  if (given.clock.now() < gatherFromMs) return 'resting';
  if (rows === undefined) return 'choosing';
  return rows.count() < limits.rows ? 'gathering' : 'waiting';
}

/** Makes it; a model that an earlier run learnt is told at once. */
export function createOwnModel(given: OwnGiven): OwnModel {
  const machine: Machine = {
    ...{ given, limits: given.limits ?? OWN_LIMITS, shelf: createShelf(given.dataFolder) },
    ...{ choice: createColumnChoice(), rows: undefined, keys: [], training: undefined },
    ...{ gatherFromMs: 0, dueMs: 0, problem: '' },
  };
  if (given.isWanted) resume(machine);
  return {
    look(window) {
      if (!given.isWanted || given.entry === undefined) return;
      if (!given.isAlone()) {
        machine.training?.ending.abort();
        return;
      }
      try {
        step(machine, window, given.entry);
      } catch (error) {
        fail(machine, error);
        machine.gatherFromMs = machine.dueMs;
      }
    },
    state() {
      const { limits, rows, training, dueMs, problem } = machine;
      const told = { rows: rows?.count() ?? 0, of: limits.rows, progress: training?.progress ?? 0, dueMs, problem };
      return { ...told, phase: phaseOf(machine) };
    },
    async stop() {
      machine.training?.ending.abort();
      await machine.training?.done;
      machine.rows?.close();
    },
  };
}
