import type { Component } from '#sdk';

/** A part that is made anew while the others run on. */
export interface Swap<Part> extends Component {
  /** The one in use. */
  now(): Part;
  /** Stops it, makes another one and starts that. Resolves at once when the whole has stopped. */
  renew(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes a part that can be renewed; `between` runs when the old one has stopped and the new one is not made yet. */
export function createSwap<Part extends Component>(
  make: () => Part,
  between: () => Promise<void> = () => Promise.resolve(),
): Swap<Part> {
  let part = make();
  let isRunning = false;
  let chain: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = chain.then(work);
    chain = done.catch(() => undefined);
    return done;
  };
  return {
    now: () => part,
    start: () =>
      inTurn(async () => {
        isRunning = true;
        await part.start?.();
      }),
    renew: () =>
      inTurn(async () => {
        if (!isRunning) return;
        await part.stop?.();
        await between();
        part = make();
        await part.start?.();
      }),
    stop: () =>
      inTurn(async () => {
        isRunning = false;
        await part.stop?.();
      }),
  };
}
