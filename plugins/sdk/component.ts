import type { Static, TObject } from 'typebox';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/**
 * Anything that runs. Creating one does no I/O. `start` resolves when it works; `stop` is safe twice and without
 * `start`, and resolves within ten seconds.
 */
export interface Component {
  start?(): Promise<void>;
  stop?(): Promise<void>;
  /** Resolves when the component can do its work now; rejects with the reason when it cannot. */
  check?(): Promise<void>;
}

/** What every component is given. */
export interface Context<Config> {
  config: Config;
  log: Logger;
  clock: Clock;
  /** Stops the process after start, with this reason. For faults that cannot be worked around. */
  fail(error: Error): void;
}

/** A component's name, its settings and how it is made. Everything that runs is defined by one of these. */
export interface ComponentDefinition<
  Schema extends TObject,
  Given extends Context<Static<Schema>>,
  Made extends Component,
> {
  name: string;
  config: Schema;
  create(context: Given): Made;
}
