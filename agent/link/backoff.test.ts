import { expect, test } from 'vitest';
import { createBackoff } from './backoff.ts';

test('limits double from half a second to thirty, and begin anew after a success', () => {
  const backoff = createBackoff(() => 1);
  const waits = Array.from({ length: 9 }, () => backoff.next());
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  backoff.reset();
  expect(backoff.next()).toBe(500);
});
