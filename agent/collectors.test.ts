import { expect, test } from 'vitest';
import { Type } from 'typebox';
import { createManualClock } from '#kit/manual-clock.ts';
import { checkSettings, defineCollector, silentLogger } from '#sdk';
import { collectorSettings, createCollectors } from './collectors.ts';

const seen: unknown[] = [];

const definition = defineCollector({
  name: 'example',
  summary: 'Reads nothing.',
  platforms: ['linux'],
  intervalSeconds: 10,
  config: Type.Object({ top: Type.Integer({ default: 3, description: 'How many.' }) }, { additionalProperties: false }),
  create({ config }) {
    seen.push(config);
    return { collect() {} };
  },
});

const made = (tree: unknown, faults: string[] = []) => {
  const settings = checkSettings(collectorSettings([definition]), tree, faults);
  return createCollectors([definition], {
    settings,
    root: '/',
    log: silentLogger,
    redact: (text) => text,
    clock: createManualClock(),
  });
};

test('a collector runs at its own interval and with its own defaults unless the settings say otherwise', () => {
  expect(made({}).map(({ name, intervalMs }) => [name, intervalMs])).toEqual([['example', 10_000]]);
  expect(made({ example: { interval: 2.5, top: 7 } })[0]?.intervalMs).toBe(2500);
  expect(seen.splice(0)).toEqual([{ top: 3 }, { top: 7 }]);
});

test('a collector that is switched off is not made', () => {
  expect(made({ example: { enabled: false } })).toEqual([]);
  expect(seen.splice(0)).toEqual([]);
});

test('a collector that asks by address is not made before it has one', () => {
  const Targets = Type.Object({ targets: Type.Array(Type.String(), { default: [] }) }, { additionalProperties: false });
  const { lacks: _, ...rest } = definition;
  const asking = defineCollector({ ...rest, config: Targets, create: () => ({ collect() {} }) });
  const madeOf = (targets: string[]) => {
    const settings = checkSettings(collectorSettings([asking]), { example: { targets } }, []);
    const given = {
      settings,
      root: '/',
      log: silentLogger,
      redact: (text: string) => text,
      clock: createManualClock(),
    };
    return createCollectors([asking], given).length;
  };
  expect([madeOf([]), madeOf(['here'])]).toEqual([0, 1]);
});

test('a setting that nobody knows is a fault with its place', () => {
  const faults: string[] = [];
  made({ example: { intervall: 5 }, other: {} }, faults);
  expect(faults.join('\n')).toMatch(/example: there is no "intervall" here; is "interval" meant\?/);
  expect(faults.join('\n')).toMatch(/there is no "other" here; what there is: example/);
});
