import { DEFAULT_LINES } from '../lines/index.ts';
import { expect, test } from 'vitest';
import { systemClock } from '#sdk';
import { rehearseRotations } from './test-rotation.ts';

test(
  'no way of rotation loses, doubles or tears a line, also of an agent that is killed',
  { timeout: 180_000 },
  async () => {
    const logs = ['/var/log/*.log', '/var/log/app.log*'].map((glob) => ({
      ...{ include: [glob], exclude: ['/var/log/debug*'] },
      start: 'saved' as const,
      ...DEFAULT_LINES,
    }));
    const rehearsals = await rehearseRotations({ logs, openFiles: 16 }, systemClock);
    expect(rehearsals.map(({ way, killed }) => `${way} ${killed}`)).toHaveLength(16);
    expect(rehearsals.filter(({ lost, doubled, torn, written }) => lost + doubled + torn > 0 || written === 0)).toEqual(
      [],
    );
  },
);
