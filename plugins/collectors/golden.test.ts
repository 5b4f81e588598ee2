import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { METRICS } from '#proto/metrics.ts';
import { collectors, collectorsFor } from './catalogue.ts';
import { replay } from './replay.ts';

/** Every folder `testdata/<case>/<step>/` is one machine seen at steps a second apart; `expected.json` is what comes of it. */
const cases = Object.keys(collectors).flatMap((name) =>
  (existsSync(join(import.meta.dirname, name, 'testdata'))
    ? readdirSync(join(import.meta.dirname, name, 'testdata'), { withFileTypes: true })
    : []
  )
    .filter((entry) => entry.isDirectory())
    .map((entry) => [name as keyof typeof collectors, entry.name] as const),
);

/** `settings.json` of a case: the collector's own settings, such as its targets. */
function settingsOf(folder: string): Record<string, unknown> {
  const path = join(folder, 'settings.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>) : {};
}

const blank = (values: Record<string, number>): void => {
  for (const key of Object.keys(values)) values[key] = 0;
};

test.each(cases)('%s reads the captured %s as expected', async (name, machine) => {
  const folder = join(import.meta.dirname, name, 'testdata', machine);
  const steps = readdirSync(folder).filter((entry) => /^\d+$/.test(entry));
  const runs = await replay(
    await collectors[name](),
    steps.sort().map((step) => join(folder, step)),
    settingsOf(folder),
  );
  for (const { values } of runs) expect(Object.values(values).every(Number.isFinite)).toBe(true);
  if (name === 'filesystem') for (const { values } of runs) blank(values); // Space is of the machine that runs the test.
  const told = runs.map(({ foreign: _foreign, ...run }) => run);
  await expect(`${JSON.stringify(told, null, 2)}\n`).toMatchFileSnapshot(join(folder, 'expected.json'));
});

test('every collector of Linux has a captured machine, and what runs by itself emits names of the catalogue only', async () => {
  const linux = await collectorsFor('linux');
  expect(linux.map(({ name }) => name).filter((name) => !cases.some(([of]) => of === name))).toEqual([]);
  for (const { name } of linux.filter(({ enabled }) => enabled !== false)) {
    const folder = join(import.meta.dirname, name, 'testdata');
    const [machine = ''] = readdirSync(folder).filter((entry) =>
      cases.some(([of, one]) => of === name && one === entry),
    );
    const [run] = await replay(
      await collectors[name as keyof typeof collectors](),
      [join(folder, machine, '1')],
      settingsOf(join(folder, machine)),
    );
    const names = Object.keys(run?.values ?? {}).map((key) => key.split(' ')[0] ?? '');
    expect(names.filter((one) => !Object.hasOwn(METRICS, one) && !run?.foreign?.includes(one))).toEqual([]);
  }
});

test('the names of the catalogue are the names of the collectors', async () => {
  for (const [name, load] of Object.entries(collectors)) expect((await load()).name).toBe(name);
});
