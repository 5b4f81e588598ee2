/** Lets one piece of work run at a time, in the order of asking. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Makes a queue of turns. Work that fails hinders no later work. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
