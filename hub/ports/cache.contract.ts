import type { Clock, Component } from '#sdk';
import { createManualClock } from '#kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cache } from './cache.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

/** What every cache must do; `make` gives a fresh one on the given clock. */
export function cacheContract(name: string, make: (clock: Clock) => Promise<Component & { port: Cache }>): void {
  describe(`cache ${name}`, () => {
    const clock = createManualClock();
    let adapter: Component & { port: Cache };
    beforeEach(async () => {
      adapter = await make(clock);
      await adapter.start?.();
    });
    afterEach(async () => adapter.stop?.());

    test('a value is there until its time is over', async () => {
      await adapter.port.set(ORG, 'k', 'v', 1_000);
      expect(await adapter.port.get(ORG, 'k')).toBe('v');
      await clock.advance(1_000);
      expect(await adapter.port.get(ORG, 'k')).toBeUndefined();
    });

    test('another org sees nothing of it', async () => {
      await adapter.port.set(ORG, 'k', 'v', 1_000);
      await adapter.port.increment(ORG, 'n', 1_000);
      expect(await adapter.port.get(OTHER, 'k')).toBeUndefined();
      expect((await adapter.port.increment(OTHER, 'n', 1_000)).value).toBe(1);
    });

    test('a deleted value is gone', async () => {
      await adapter.port.set(ORG, 'k', 'v', 1_000);
      await adapter.port.delete(ORG, 'k');
      expect(await adapter.port.get(ORG, 'k')).toBeUndefined();
    });

    test('a counter counts until its first increment is too old', async () => {
      expect(await adapter.port.increment(ORG, 'n', 1_000)).toEqual({ value: 1, leftMs: 1_000 });
      await clock.advance(600);
      expect(await adapter.port.increment(ORG, 'n', 1_000)).toEqual({ value: 2, leftMs: 400 });
      await clock.advance(400);
      expect((await adapter.port.increment(ORG, 'n', 1_000)).value).toBe(1);
    });
  });
}
