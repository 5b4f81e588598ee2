import { expect, test } from 'vitest';
import { createDetector } from './detector.ts';

test('a metric that never changes is never surprising', () => {
  const detector = createDetector();
  const place = detector.add('gauge');
  for (let n = 0; n < 3000; n++) {
    const { score, nats } = detector.push(place, n * 1000, 42);
    expect([score, nats]).toEqual([0, 0]);
  }
});
