import { systemClock } from '#sdk';
import { describe, expect, test } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

interface Write {
  lane: string;
  value: number;
}

function start(fails: (write: Write) => boolean = () => false) {
  const groups: number[][] = [];
  const group = createGroupCommit<Write>({
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    laneOf: ({ lane }) => lane,
    async commit(writes) {
      await Promise.resolve();
      if (writes.some(fails)) throw new Error('refused');
      groups.push(writes.map(({ value }) => value));
    },
  });
  return { group, groups };
}

describe('a group commit', () => {
  test('takes writes that come together in one transaction', async () => {
    const { group, groups } = start();
    await Promise.all([1, 2, 3].map((value) => group.add({ lane: 'a', value })));
    expect(groups).toEqual([[1, 2, 3]]);
  });

  test.each(Array.from({ length: 24 }, (_, steps) => steps))(
    'takes a write that comes %i steps after the last one was stored',
    async (steps) => {
      const { group, groups } = start();
      await group.add({ lane: 'a', value: 1 });
      for (let step = 0; step < steps; step++) await Promise.resolve();
      const late = group.add({ lane: 'a', value: 2 });
      await Promise.race([late, systemClock.sleep(1000).then(() => Promise.reject(new Error('it waits for ever')))]);
      expect(groups).toEqual([[1], [2]]);
    },
  );

  test('refuses a bad write and what came behind it in its lane, and stores the others', async () => {
    const { group, groups } = start(({ value }) => value === 2);
    const writes = [
      { lane: 'a', value: 1 },
      { lane: 'a', value: 2 },
      { lane: 'a', value: 3 },
      { lane: 'b', value: 4 },
    ];
    const fates = await Promise.allSettled(writes.map((write) => group.add(write)));
    expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(groups).toEqual([[1], [4]]);
  });

  test('is drained when nothing waits any more', async () => {
    const { group, groups } = start();
    void group.add({ lane: 'a', value: 1 });
    await group.drain();
    expect(groups).toEqual([[1]]);
    await group.drain();
  });
});
