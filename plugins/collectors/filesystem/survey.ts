import type { Clock } from '#sdk';
import type { Mount } from './mounts.ts';
import { spaceOf, type Space, type StatFs } from './space.ts';

/** How a mount is looked at. */
export interface Look {
  stat(mount: Mount): Promise<StatFs>;
  /** True when it may hang for ever. */
  isRemote(mount: Mount): boolean;
}

/** Asks mounts for their space; `undefined` stands for one that gave no answer in time. */
export type Survey = (mounts: readonly Mount[]) => Promise<(Space | undefined)[]>;

/**
 * Remote file systems that may be asked at once. Each that hangs holds one of the four threads that all of Node's
 * file work shares, so with this many hanging no other remote one is asked; local ones always are.
 */
const REMOTE_AT_ONCE = 2;

/** Makes a survey that never asks a mount again before it has answered. */
export function createSurvey(look: Look, clock: Clock, patienceMs: number): Survey {
  const pending = new Set<string>();
  let remote = 0;
  const ask = async (mount: Mount): Promise<Space | undefined> => {
    const isRemote = look.isRemote(mount);
    if (pending.has(mount.mountpoint) || (isRemote && remote >= REMOTE_AT_ONCE)) return undefined;
    pending.add(mount.mountpoint);
    if (isRemote) remote++;
    try {
      return spaceOf(await look.stat(mount));
    } catch {
      return undefined; // Unmounted since the list was read, or not ours to see.
    } finally {
      pending.delete(mount.mountpoint);
      if (isRemote) remote--;
    }
  };
  return async (mounts) => {
    const answered = new AbortController();
    const late = clock.sleep(patienceMs, answered.signal);
    const giveUp = late.then(() => undefined);
    // Remote ones follow each other, so that a healthy one is not turned away by the limit.
    let queue: Promise<unknown> = Promise.resolve();
    const spaces = mounts.map((mount) => {
      if (!look.isRemote(mount)) return Promise.race([ask(mount), giveUp]);
      const turn = queue.then(() => (answered.signal.aborted ? undefined : Promise.race([ask(mount), giveUp])));
      queue = turn;
      return turn;
    });
    const found = await Promise.all(spaces);
    answered.abort();
    return found;
  };
}
