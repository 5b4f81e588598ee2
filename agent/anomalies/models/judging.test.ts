import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '#kit/manual-clock.ts';
import { createMovingHost, learnMovingHost, type MovingHost } from '#kit/moving-host.ts';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '#sdk';
import type { HostModel } from '../../../plugins/models/index.ts';
import type { AnomalyMessage } from '../../pipeline/gathering.ts';
import type { MetricBlock } from '../../schedule.ts';
import { createAnomalies } from '../index.ts';

const START = 1_795_000_000_000 - (1_795_000_000_000 % 10_000);
let model: HostModel;
let other: HostModel;
beforeAll(async () => {
  model = await learnMovingHost('v1');
  other = await learnMovingHost('v2');
});
let dataFolder: string;
let host: MovingHost;
let timeMs: number;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'outrider-judging-'));
  host = createMovingHost();
  timeMs = START;
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

/** An agent's judgement of the host, and what it told. */
function begin() {
  const events: AnomalyMessage[] = [];
  const blocks: MetricBlock[] = [];
  const anomalies = createAnomalies({
    ...{ dataFolder, log: silentLogger, clock: createManualClock(START), bootMs: START },
    detection: { metrics: true, templates: false, tensorFlow: false, train: false },
    training: { entry: undefined, isStrained: () => false },
    addBlock: (block) => void blocks.push(block),
    addAnomaly: (event) => void events.push(event),
    addTemplate: () => undefined,
  });
  const play = (windows: number, broken = false, change = (block: MetricBlock) => block): void => {
    for (let n = 0; n < windows; n++) {
      anomalies.look(change(host.block(timeMs, broken)));
      timeMs += 10_000;
    }
  };
  const scores = () =>
    blocks.flatMap(({ table, values }) =>
      table.series.flatMap(({ name, attributes }, n) =>
        name === 'outrider.host.model.score' && !Number.isNaN(values[n]) ? [{ ...attributes, score: values[n]! }] : [],
      ),
    );
  return { anomalies, play, events, scores };
}

test('a host whose series no longer go together opens an event that names the model’s causes and version, in the metrics’ own units', () => {
  const { anomalies, play, events, scores } = begin();
  anomalies.judges.seat('champion', model);
  play(400);
  expect(events).toEqual([]);
  play(2, true); // The first of them has ended: no window opens one by itself.
  expect(scores().at(-1)!.score).toBeGreaterThanOrEqual(0.5);
  expect(events).toEqual([]);
  play(30, true);
  const event = events.at(-1);
  expect(event).toMatchObject({ model: 'v1', score: expect.any(Number) as number });
  const causes = event?.causes?.filter(({ channel }) => channel?.startsWith('model-')) ?? [];
  expect(causes.length).toBeGreaterThan(2);
  for (const { metric, attributes, value, expected, channel } of causes) {
    expect(metric).toMatch(/^system.part\d.load$/);
    expect(host.series.some((one) => one.attributes['place'] === attributes?.['place'])).toBe(true);
    expect(channel).toMatch(/^model-(level|change)$/);
    expect([value, expected].every((one) => one! > -20 && one! < 120)).toBe(true);
  }
  expect(scores().at(-1)).toMatchObject({ 'outrider.model.alias': 'champion', 'outrider.model.version': 'v1' });
  expect(scores().at(-1)!.score).toBeGreaterThanOrEqual(0.5);
});

test('of a shadow only the score is told', () => {
  const { anomalies, play, events, scores } = begin();
  anomalies.judges.seat('shadow', model);
  play(400);
  play(30, true);
  expect(Math.max(...scores().map(({ score }) => score))).toBeGreaterThanOrEqual(0.75);
  expect(new Set(scores().map((one) => (one as Record<string, unknown>)['outrider.model.alias']))).toEqual(new Set(['shadow'])); // prettier-ignore
  expect(events).toEqual([]); // No series by itself is strange: as champion the same model opens an event.
});

test('the champion judges in the place of the agent’s own, which judges again without it', () => {
  const { anomalies, play, scores } = begin();
  const alias = (): unknown => (scores().at(-1) as Record<string, unknown>)['outrider.model.alias'];
  anomalies.judges.seat('own', other);
  play(3);
  expect([alias(), anomalies.state().models?.judge?.version]).toEqual(['own', 'v2']);
  anomalies.judges.seat('champion', model);
  play(3);
  expect([alias(), anomalies.state().models?.judge?.version]).toEqual(['champion', 'v1']);
  anomalies.judges.seat('champion', undefined);
  play(3);
  expect([alias(), anomalies.state().models?.judge?.version]).toEqual(['own', 'v2']);
});

test('a window in which most of a model’s series are missing is not judged', () => {
  const { anomalies, play, scores } = begin();
  anomalies.judges.seat('champion', model);
  play(10);
  const before = scores().length;
  const without = (count: number) => (block: MetricBlock) => ({ ...block, values: block.values.map((value, n) => (n < count ? NaN : value)) }); // prettier-ignore
  play(5, false, without(9));
  expect(scores().length).toBe(before + 1); // Of the window that ended with the first of them.
  play(5, false, without(7));
  expect(scores().length).toBe(before + 1 + 4);
});

test('what a model has seen survives a restart, and is not given to another one', async () => {
  const first = begin();
  first.anomalies.judges.seat('champion', model);
  first.play(500);
  const resumed = timeMs;
  const after = async (seated: HostModel, from: MovingHost) => {
    host = from;
    timeMs = resumed;
    const next = begin();
    next.anomalies.judges.seat('champion', seated);
    next.play(40);
    return next.scores().map(({ score }) => score);
  };
  await first.anomalies.stop?.();
  const [same, again, changed] = [await after(model, createMovingHost()), await after(model, createMovingHost()), await after(other, createMovingHost())]; // prettier-ignore
  expect(same).toEqual(again);
  expect(same).not.toEqual(changed);
  rmSync(join(dataFolder, 'anomalies.state'));
  expect(await after(other, createMovingHost())).toEqual(changed);
  expect(await after(model, createMovingHost())).not.toEqual(same);
});
