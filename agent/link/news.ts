import type { Cancel, Clock } from '#sdk';

/** Something that happened, for those who wait for it. */
export interface News {
  tell(): void;
  /** Resolves at the next news, when `other` does, or after `ms`. */
  wait(ms: number, other?: Promise<void>): Promise<void>;
}

/** Makes news of one thing. */
export function createNews(clock: Clock): News {
  let wake = (): void => undefined;
  let changed = new Promise<void>((resolve) => (wake = resolve));
  return {
    tell() {
      const waking = wake;
      changed = new Promise((resolve) => (wake = resolve));
      waking();
    },
    async wait(ms, other) {
      let cancel: Cancel | undefined;
      // No signal: to abort one costs as much as thirty timers, and this is waited for several times a second.
      const late = new Promise<void>((resolve) => (cancel = clock.after(ms, resolve)));
      await Promise.race([changed, late, ...(other === undefined ? [] : [other])]);
      cancel?.();
    },
  };
}
