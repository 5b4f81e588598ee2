import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHostEvents, type Beside, type HostEvent } from './events.ts';
import { createHostScore, emptyHostMemory, evidenceOf } from './host.ts';
import type { Speaker } from './watch.ts';

const START = Date.UTC(2026, 10, 27);
const BESIDE = { contexts: [], templates: [], model: '' };

const speaker = (name: string, nats: number, channel: Speaker['channel'] = 'level'): Speaker => ({
  series: { name, kind: 'gauge', attributes: {} },
  ...{ nats, score: 0.6, direction: 1, channel, value: 2, usual: 1, timeMs: START },
});

/** A host that has been calm for long enough to be judged, and what is told of it window by window. */
function begin() {
  const score = createHostScore({ ...emptyHostMemory(), windows: 200, atMs: START });
  let ids = 0;
  const events = createHostEvents(() => `event-${++ids}`);
  let endMs = START;
  const told: HostEvent[] = [];
  const play = (speakers: readonly Speaker[], windows = 1, beside: Beside = BESIDE): void => {
    for (let n = 0; n < windows; n++) {
      endMs += 10_000;
      const window = { endMs, judged: 50, speakers };
      const verdict = score.judge(window);
      const event = events.take(window, verdict, beside);
      if (event?.revision === 1) score.opened();
      if (event !== undefined) told.push(event);
    }
  };
  return { play, told, events, score, now: () => endMs };
}

test('one window, however strange, opens nothing; two of them open an event that names what was strange, the strangest first', () => {
  const { play, told } = begin();
  play([speaker('system.cpu.busy', 40), speaker('system.disk.io', 60)]);
  expect(told).toEqual([]);
  play([speaker('system.cpu.busy', 40), speaker('system.disk.io', 60)]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ id: 'event-1', revision: 1, startMs: START, endMs: undefined });
  expect(told[0]?.causes.map(({ series }) => series.name)).toEqual(['system.disk.io', 'system.cpu.busy']);
  expect(told[0]?.score).toBeGreaterThanOrEqual(0.5);
});

test('an event ends after a minute of calm, at the time at which the calm began, and is gone on with when it comes back soon', () => {
  const { play, told, events, now } = begin();
  play([speaker('system.cpu.busy', 40)], 4);
  const calm = now();
  play([], 6);
  expect(told.at(-1)).toMatchObject({ id: 'event-1', endMs: calm });
  expect(events.current()).toBeUndefined();
  play([speaker('system.cpu.busy', 40)], 6);
  expect(told.at(-1)).toMatchObject({ id: 'event-1', endMs: undefined });
  play([], 120);
  play([speaker('system.cpu.busy', 40)], 8);
  expect(told.at(-1)?.id).toBe('event-2');
});

test('what was strange for six hours is no longer told as strange, until the host has been as usual', () => {
  const { play, told, events } = begin();
  play([speaker('system.cpu.busy', 40)], 7 * 360);
  expect(told.filter(({ endMs }) => endMs !== undefined)).toHaveLength(1);
  expect(told.at(-1)).toMatchObject({ id: 'event-1', endMs: START + 6 * 3_600_000 });
  expect(events.current()).toBeUndefined();
  play([], 6);
  play([speaker('system.cpu.busy', 40)], 3);
  expect(told.at(-1)).toMatchObject({ id: 'event-2', revision: 1, endMs: undefined });
});

test('what was done to the host while an event was open stays with it, and new kinds of lines of the windows that opened it', () => {
  const { play, told } = begin();
  const deploy = { kind: 'deploy', name: 'shop 4.2', fromMs: START, toMs: undefined };
  const ended = { ...deploy, toMs: START + 15_000 };
  const strange = [speaker('system.cpu.busy', 40)];
  play(strange, 1, { ...BESIDE, contexts: [deploy], templates: [7n] });
  play(strange, 1, { ...BESIDE, contexts: [ended] });
  expect(told).toMatchObject([{ contexts: [ended], templates: [7n] }]);
  play(strange, 10);
  play([], 6);
  expect(told.at(-1)).toMatchObject({ contexts: [ended], templates: [7n], endMs: START + 120_000 });
});

test('an event that an earlier agent had open, or that a sleeping machine forgot, opens no other one', () => {
  const strange = { ...emptyHostMemory(), windows: 400, sum: 28, atMs: START };
  const score = createHostScore(strange);
  expect(score.judge({ endMs: START + 10_000, speakers: [] }).score).toBeGreaterThan(0.5);
  expect(score.judge({ endMs: START + 100_000, speakers: [] }).score).toBe(0);
});

test('before a host is known nothing is told of it', () => {
  const score = createHostScore();
  const events = createHostEvents(() => 'event');
  for (let n = 1; n <= 180; n++) {
    const window = { endMs: START + 10_000 * n, judged: 50, speakers: [speaker('system.cpu.busy', 40)] };
    expect(events.take(window, score.judge(window), BESIDE)).toBeUndefined();
  }
});

test('series that see the same count less than series that do not', () => {
  const same = evidenceOf([speaker('system.cpu.busy', 20), speaker('system.cpu.utilization', 20)]);
  const others = evidenceOf([speaker('system.cpu.busy', 20), speaker('system.disk.io', 20)]);
  expect(same).toBeLessThan(others);
});

test('whatever comes, revisions of an event rise by one, causes are ten at most, and scores lie between 0 and 1', () => {
  const some = fc.array(fc.tuple(fc.constantFrom('system.cpu.busy', 'system.disk.io', 'a', 'b.c'), fc.double({ min: 0, max: 1e6, noNaN: true })), { maxLength: 40 }); // prettier-ignore
  fc.assert(
    fc.property(fc.array(some, { maxLength: 60 }), (windows) => {
      const { play, told } = begin();
      for (const speakers of windows)
        play(speakers.map(([name, nats], n) => speaker(`${name}${n % 7}`, nats)).sort((a, b) => b.nats - a.nats));
      const revisions = new Map<string, number>();
      for (const { id, revision, causes, score } of told) {
        expect(revision).toBe((revisions.get(id) ?? 0) + 1);
        revisions.set(id, revision);
        expect(causes.length).toBeLessThanOrEqual(10);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThan(1);
      }
    }),
  );
});

test('a host whose threshold people raised needs more to be told of, and one that they lowered less', () => {
  const windowsUntilTold = (offset: number): number => {
    const { play, told, score } = begin();
    score.shift(offset);
    for (let n = 1; n < 50; n++) {
      play([speaker('system.cpu.busy', 18)]);
      if (told.length > 0) return n;
    }
    return Infinity;
  };
  expect([-4, 0, 8, 16].map(windowsUntilTold)).toEqual([3, 4, 6, 8]);
});
