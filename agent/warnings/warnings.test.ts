import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectorsFor } from '../../plugins/collectors/catalogue.ts';
import { loadAgentSettings } from '../load.ts';
import { warningsOfMachine } from './machine.ts';
import { warningsOf } from './index.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-warnings-'));
  mkdirSync(join(folder, 'logs'));
  for (const name of ['a.log', 'b.log']) writeFileSync(join(folder, 'logs', name), 'one\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

const load = (text: string) => {
  const file = join(folder, 'agent.yaml');
  writeFileSync(file, `data: ${folder}\n${text.replaceAll('LOGS', join(folder, 'logs'))}`);
  return loadAgentSettings({ file, env: {}, flags: {} });
};
const placed = async (text: string): Promise<string[]> => {
  const all = warningsOf(await load(text), { env: {}, definitions: await collectorsFor('linux') });
  return all.map((words) => words.replaceAll(join(folder, 'logs'), 'LOGS').replace(`${folder}/agent.yaml`, 'FILE'));
};
/** Without columns. */
const warnings = async (text: string): Promise<string[]> =>
  (await placed(text)).map((words) => words.replace(/^(FILE:\d+):\d+/, '$1'));

test('a warning has line and column', async () => {
  const [warning] = await placed('logs:\n  - include: [LOGS/a.log, LOGS/c.log]\n');
  const column = `  - include: [${join(folder, 'logs')}/a.log, `.length + 1;
  expect(warning).toContain(`FILE:3:${column}: logs.0.include.1: LOGS/c.log names nothing`);
});

test('settings that all have an effect are warned of in no way', async () => {
  const text = `logs:
  - include: [LOGS/a.log]
    drop: [{ rule: probes, pattern: GET /live }, { rule: debug, below: info }, { rule: late, pattern: x$ }]
  - include: [LOGS/*.log]
    exclude: [LOGS/a.log]
drop: [{ rule: quiet, below: info, pattern: x }, { rule: x, pattern: x }]
collectors: { cpu: { interval: 5 } }
`;
  expect(await warnings(text)).toEqual([]);
  expect(await warnings('')).toEqual([]);
});

test.each([
  ['include: [LOGS/c.log]', 'logs.0.include.0: LOGS/c.log names nothing: no file fits it now'],
  ['include: [LOGS]', 'logs.0.include.0: LOGS names nothing: it is a folder; its files are LOGS/*'],
  ['include: [~/x.log]', 'logs.0.include.0: ~/x.log is taken as it stands'],
  ['{ include: [LOGS/*.log], exclude: [a.log] }', 'logs.0.exclude.0: a.log is no whole path and is taken as '],
  [
    '{ include: [LOGS/*], exclude: [LOGS/*.log] }',
    'logs.0.exclude: leaves out all that include names (LOGS/a.log, LOGS/b.log)',
  ],
  [
    '{ include: [LOGS/*], multiline: { start: x } }',
    'logs.0.multiline.start: has no effect, because multiline.mode is auto',
  ],
  ['{ include: [LOGS/*], drop: [{ rule: a, pattern: .+ }] }', 'logs.0.drop.0.pattern: fits every line'],
  ['{ include: [LOGS/*], drop: [{ rule: a, pattern: a^b }] }', 'logs.0.drop.0.pattern: no line can fit it'],
  ['{ include: [LOGS/*], drop: [{ rule: a, pattern: a$b }] }', 'logs.0.drop.0.pattern: no line can fit it'],
  ['{ include: [LOGS/*], drop: [{ rule: a, below: debug }] }', 'logs.0.drop.0.below: drops nothing'],
])('an entry of logs with %s is warned of', async (entry, words) => {
  expect(await warnings(`logs:\n  - ${entry}\n`)).toEqual([expect.stringContaining(`FILE:3: ${words}`)]);
});

test.each([
  ['[{ rule: a, pattern: .+ }, { rule: b, pattern: x }]', 'a'],
  ['[{ rule: a, below: error }, { rule: b, below: warn, pattern: x }]', 'a'],
  ['[{ rule: a, pattern: x }, { rule: b, pattern: x, below: warn }]', 'a'],
])('of the rules %s the second one drops nothing', async (rules, first) => {
  expect((await warnings(`drop: ${rules}\n`)).at(-1)).toContain(`drop.1: drops nothing, because the rule ${first} `);
});

test('files that an earlier entry names too are told, with the lines of both', async () => {
  const text = 'logs:\n  - include: [LOGS/a.log]\n  - include: [LOGS/*.log]\n  - include: [LOGS/b.log]\n';
  expect(await warnings(text)).toEqual([
    'FILE:4: logs.1: this entry does not count for some: logs.0 stands before it and names LOGS/a.log too, and the first entry counts',
    'FILE:5: logs.2: this entry counts for no file: logs.1 stands before it and names LOGS/b.log too, and the first entry counts',
  ]);
});

test.each([
  ['postgres: { interval: 3 }', 'postgres: does not run, because it has no targets'],
  ['statsd: { port: 8125 }', 'statsd: port: no effect, because it runs only where somebody asks for it'],
  ['cpu: { enabled: false, interval: 3 }', 'cpu: interval: no effect, because enabled is false'],
  ['exec: { enabled: true }', 'exec: tells nothing here: it has no programs'],
  [
    'exec: { enabled: true, programs: [{ name: x, command: [/no/where] }] }',
    'exec: tells nothing here: there is no /no/where',
  ],
  ['containers: { docker: { socket: /no/where } }', 'containers: tells nothing here: there is no socket /no/where'],
])('a collector with %s is warned of', async (collector, words) => {
  expect(await warnings(`collectors:\n  ${collector}\n`)).toEqual([
    expect.stringContaining(`FILE:3: collectors.${words}`),
  ]);
});

test.each([
  ['link: { nats: { servers: [tls://a:1] } }', 'link.nats: has no effect, because link.transport is grpc'],
  ['pushed: { accept: false, trialSeconds: 40 }', 'pushed.trialSeconds: has no effect'],
  ['budgets: { series: 200 }', 'budgets.seriesPerMetric: is no limit'],
  ['redact: { secrets: false }', 'redact.secrets: is off'],
  ['journal: { read: off, units: [a] }', 'journal: its other settings have no effect'],
])('%s is warned of', async (text, words) => {
  expect(await warnings(`${text}\n`)).toEqual([expect.stringContaining(words)]);
});

test('limits beyond what the machine has are none', async () => {
  const { settings } = await load('budgets: { cpu: 8, memory: 3000000000 }\nspool: { limit: 5000000000 }\n');
  const small = { cores: 4, memory: 2e9, disk: () => 4e9 };
  expect(warningsOfMachine(settings, {}, small).map((words) => words.split(':')[0])).toEqual([
    'budgets.cpu',
    'budgets.memory',
    'spool.limit',
  ]);
  expect(warningsOfMachine(settings, {}, { cores: 8, memory: 4e9, disk: () => undefined })).toEqual([]);
});
