import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { silentLogger } from './log.ts';
import { run } from './run.ts';

const given = { clock: systemClock, log: silentLogger };

function noisy(name: string, story: string[], faults: { start?: Error; stop?: Error } = {}) {
  return {
    name,
    component: {
      async start() {
        story.push(`start ${name}`);
        if (faults.start) throw faults.start;
      },
      async stop() {
        story.push(`stop ${name}`);
        if (faults.stop) throw faults.stop;
      },
    },
  };
}

test('parts start in order and stop in reverse', async () => {
  const story: string[] = [];
  const running = await run([noisy('a', story), noisy('b', story)], given);
  await running.stop();
  expect(story).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('stopping twice stops once', async () => {
  const story: string[] = [];
  const running = await run([noisy('a', story)], given);
  await Promise.all([running.stop(), running.stop()]);
  expect(story).toEqual(['start a', 'stop a']);
});

test('a part that cannot start stops those before it and itself, and its error is thrown', async () => {
  const story: string[] = [];
  const fault = new Error('no disk');
  const started = run([noisy('a', story), noisy('b', story, { start: fault }), noisy('c', story)], given);
  await expect(started).rejects.toBe(fault);
  expect(story).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('faults while stopping are gathered and hinder no other part', async () => {
  const story: string[] = [];
  const running = await run([noisy('a', story), noisy('b', story, { stop: new Error('stuck') })], given);
  await expect(running.stop()).rejects.toThrow('b did not stop cleanly: stuck');
  expect(story).toContain('stop a');
});

test('a part that never stops is given up after its time', async () => {
  const clock = { ...systemClock, sleep: async () => undefined };
  const running = await run([{ name: 'a', component: { stop: () => new Promise<void>(() => undefined) } }], {
    ...given,
    clock,
  });
  await expect(running.stop()).rejects.toThrow('a did not stop within 10 s');
});
