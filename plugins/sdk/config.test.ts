import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkSettings, environmentName, faultsOf, leavesOf, loadSettings, unknownVariables } from './config.ts';

const Schema = Type.Object(
  {
    port: Type.Integer({ default: 8080, minimum: 1, maximum: 65535 }),
    log: Type.Object(
      { level: Type.Enum(['info', 'warn'], { default: 'info' }) },
      { additionalProperties: false, default: {} },
    ),
    allow: Type.Array(Type.String(), { default: [] }),
    targets: Type.Array(
      Type.Object(
        { name: Type.String(), password: Type.String({ default: '', secret: true }) },
        { additionalProperties: false },
      ),
      { default: [] },
    ),
    mail: Type.Object(
      { password: Type.String({ default: '', secret: true }), smtpHost: Type.String({ default: '' }) },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const path = join(folder, `${Math.random()}.yaml`);
  writeFileSync(path, text);
  return path;
}

test('defaults fill what nobody set', () => {
  expect(loadSettings(Schema, { env: {}, flags: {} })).toEqual({
    port: 8080,
    log: { level: 'info' },
    allow: [],
    targets: [],
    mail: { password: '', smtpHost: '' },
  });
});

test('a flag beats the environment, which beats the file', () => {
  const file = fileOf('port: 1\nlog: { level: warn }\n');
  expect(loadSettings(Schema, { file, env: {}, flags: {} }).port).toBe(1);
  expect(loadSettings(Schema, { file, env: { OUTRIDER_PORT: '2' }, flags: {} }).port).toBe(2);
  expect(loadSettings(Schema, { file, env: { OUTRIDER_PORT: '2' }, flags: { port: '3' } }).port).toBe(3);
  expect(loadSettings(Schema, { file, env: { OUTRIDER_PORT: '2' }, flags: { port: undefined } }).log.level).toBe(
    'warn',
  );
});

test('lists are read from the environment by comma or as JSON', () => {
  expect(loadSettings(Schema, { env: { OUTRIDER_ALLOW: 'a, b' }, flags: {} }).allow).toEqual(['a', 'b']);
  expect(loadSettings(Schema, { env: { OUTRIDER_ALLOW: '["a,b"]' }, flags: {} }).allow).toEqual(['a,b']);
});

test('a secret may lie in a file, named by the environment or by the settings file', () => {
  const secret = fileOf('hidden\n');
  expect(loadSettings(Schema, { env: { OUTRIDER_MAIL__PASSWORD_FILE: secret }, flags: {} }).mail.password).toBe(
    'hidden',
  );
  const file = fileOf(`mail: { passwordFile: ${JSON.stringify(secret)} }\n`);
  expect(loadSettings(Schema, { file, env: {}, flags: {} }).mail.password).toBe('hidden');
});

test('a secret of an entry of a list may lie in a file too, and a file that cannot be read is named with its entry', () => {
  const secret = fileOf('hidden\n');
  const entry = (passwordFile: string) => `{ name: one, passwordFile: ${JSON.stringify(passwordFile)} }`;
  const file = fileOf(`targets: [{ name: none }, ${entry(secret)}]\n`);
  const expected = [
    { name: 'none', password: '' },
    { name: 'one', password: 'hidden' },
  ];
  expect(loadSettings(Schema, { file, env: {}, flags: {} }).targets).toEqual(expected);
  const env = { OUTRIDER_TARGETS: JSON.stringify([{ name: 'none' }, { name: 'one', passwordFile: secret }]) };
  expect(loadSettings(Schema, { env, flags: {} }).targets).toEqual(expected);
  const lost = fileOf(`targets: [${entry('/nowhere/at/all')}]\n`);
  expect(() => loadSettings(Schema, { file: lost, env: {}, flags: {} })).toThrow(/targets\.0\.passwordFile: .*nowhere/);
  expect(loadSettings(Schema, { file: lost, env: { OUTRIDER_TARGETS: '[]' }, flags: {} }).targets).toEqual([]);
});

test('a secret from a stronger source wins over the file that a weaker one names', () => {
  const file = fileOf('mail: { passwordFile: /nowhere/at/all }\n');
  const env = { OUTRIDER_MAIL__PASSWORD: 'from the environment' };
  expect(loadSettings(Schema, { file, env, flags: {} })).toMatchObject({ mail: { password: 'from the environment' } });
});

test('a file with many faults is told all of them, in the order of its lines', () => {
  const file = join(folder, 'many.yaml');
  const keys = Array.from({ length: 20 }, (_, n) => `wrong${n}`);
  writeFileSync(file, keys.map((key) => `${key}: { x: 1 }`).join('\n'));
  const schema = Type.Object(Object.fromEntries(keys.map((key) => [key, Type.Integer()])));
  let message = '';
  try {
    loadSettings(schema, { file, env: {}, flags: {} });
  } catch (error) {
    ({ message } = error as Error);
  }
  expect(message.split('\n').map((line) => line.slice(file.length + 1).split(':')[0])).toEqual(keys.map((_, n) => String(n + 1))); // prettier-ignore
});

test('every fault is named at once, with its place', () => {
  const file = fileOf('port: 99999\nlog: { level: loud }\nmail: { pasword: x }\n');
  const load = (): unknown => loadSettings(Schema, { file, env: {}, flags: {} });
  expect(load).toThrow(/port: /);
  expect(load).toThrow(/log\.level: must be info or warn, and is "loud"/);
  expect(load).toThrow(/mail: .*"pasword"/);
});

test('a file that is not YAML is named with its line', () => {
  const file = fileOf('port: 1\nlog: [unclosed\n');
  expect(() => loadSettings(Schema, { file, env: {}, flags: {} })).toThrow(/\.yaml:[23]:\d+: /);
});

test('a fault of the file is named with its line and column, also of a setting that is unknown or lies in a list', () => {
  const file = fileOf(
    'log:\n  # a remark\n  level: loud\nallow:\n  - a\n  - [b]\nmail:\n  smtpHost: x\n  pasword: x\n',
  );
  let faults: string[] = [];
  try {
    loadSettings(Schema, { file, env: { OUTRIDER_PORT: 'x' }, flags: {} });
  } catch (error) {
    faults = (error as Error).message.split('\n').map((fault) => fault.replace(file, 'FILE'));
  }
  expect(faults).toEqual([
    expect.stringMatching(/^OUTRIDER_PORT: port: must be a whole number from 1 to 65535, and is "x"/),
    expect.stringMatching(/^FILE:3:3: log\.level: /),
    expect.stringMatching(/^FILE:6:5: allow\.1: must be a text, and is a list/),
    expect.stringMatching(/^FILE:9:3: mail: there is no "pasword" here; is "password" meant\?/),
  ]);
});

test('a file that is missing is a fault that names it', () => {
  expect(() => loadSettings(Schema, { file: join(folder, 'none.yaml'), env: {}, flags: {} })).toThrow(/none\.yaml/);
});

test('every leaf has an environment name of its own that sets it', () => {
  const names = leavesOf(Schema).map(({ path }) => environmentName(path));
  expect(names).toContain('OUTRIDER_MAIL__SMTP_HOST');
  expect(new Set(names).size).toBe(names.length);
});

test('no text in a settings file makes the loader fail in another way than with a list of faults', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        loadSettings(Schema, { file: fileOf(text), env: {}, flags: {} });
      } catch (error) {
        expect(error).toMatchObject({ name: 'Problem', code: 'config.invalid' });
      }
    }),
    { numRuns: 60 },
  );
});

test('an unknown setting is named once', () => {
  const faults: string[] = [];
  checkSettings(Type.Object({ port: Type.Integer() }, { additionalProperties: false }), { port: 1, prot: 2 }, faults);
  expect(faults).toEqual(['settings: there is no "prot" here; is "port" meant?']);
});

test.each<[Record<string, unknown>, string]>([
  [{ logLevel: 'warning' }, 'logLevel: must be debug, info, warn or error, and is "warning"; is warn meant?'],
  [{ read: true }, 'read: must be on or off, and is true; is on meant?'],
  [{ limit: '100MB' }, 'limit: must be a whole number of at least 10, and is "100MB"; in bytes that is 100000000'],
  [{ every: '5m' }, 'every: must be a number, and is "5m"; in seconds that is 300'],
  [{ limit: 9 }, 'limit: must be at least 10, and is 9'],
  [{ never: 1 }, expect.stringMatching(/^settings: there is no "never" here; what there is: /)],
  [{ every: null }, 'every: must be a number, and is empty'],
  [{ rules: { a: 1 } }, 'rules: must be a list: [a, b], or lines that begin with "- ", and is a section'],
  [{ rules: [] }, 'rules: must have at least one entry'],
  [{ rules: [{ nmae: 'x' }] }, 'rules.0: there is no "nmae" here; is "name" meant?'],
  [{ rules: [{}] }, 'rules.0.name: is missing. What it is called.'],
  [{ rules: [{ name: 'a b' }] }, 'rules.0.name: must be one word'],
  [{ fits: '(' }, 'fits: is no regular expression (Unterminated group)'],
  [{ labels: 'secret' }, 'labels: must be names with values, such as { role: web }, and is a text'],
  [{ token: { a: 1 } }, 'token: must be a text, and is a section'],
  [{ pin: 'abc' }, 'pin: must be a whole number, and is a text'],
  [{ log_level: 'info' }, 'settings: there is no "log_level" here; is "logLevel" meant?'],
  [{ inner: 1 }, 'settings: there is no "inner" here; "deep.inner" may be meant'],
  [{ deep: { colour: 1 } }, 'deep: there is no "colour" here; what there is: inner'],
])('what is wrong with %j is said in plain words', (tree, words) => {
  const Words = Type.Object(
    {
      logLevel: Type.Enum(['debug', 'info', 'warn', 'error'], { default: 'info' }),
      read: Type.Enum(['on', 'off'], { default: 'on' }),
      limit: Type.Integer({ default: 10, minimum: 10, description: 'Bytes on disk.' }),
      every: Type.Number({ default: 1, description: 'Seconds between two.' }),
      rules: Type.Array(
        Type.Object(
          { name: Type.String({ pattern: '^\\w+$', form: 'one word', description: 'What it is called.' }) },
          { additionalProperties: false },
        ),
        { default: [{ name: 'x' }], minItems: 1 },
      ),
      fits: Type.String({ format: 'regex', default: '' }),
      labels: Type.Record(Type.String(), Type.String(), { default: {} }),
      token: Type.String({ default: '', secret: true }),
      pin: Type.Integer({ default: 0, secret: true }),
      deep: Type.Object({ inner: Type.Integer({ default: 1 }) }, { default: {}, additionalProperties: false }),
    },
    { additionalProperties: false },
  );
  const faults: string[] = [];
  checkSettings(Words, tree, faults);
  expect(faults).toEqual([words]);
});

test('a flag that nobody gave is not blamed for what the file says', () => {
  const file = fileOf('mail:\n  smtpHost: []\n');
  const load = () => loadSettings(Schema, { file, env: {}, flags: { mail: undefined } });
  expect(load).toThrow(`${file}:2:3: mail.smtpHost: `);
});

test('a setting of the environment or of a flag is named as such, though the file has its section', () => {
  const file = fileOf('log:\n  level: info\nmail: {}\n');
  const env = { OUTRIDER_LOG__LEVEL: 'loud' };
  const load = () => loadSettings(Schema, { file, env, flags: { mail: { smtpHost: [] } } });
  expect(load).toThrow(/^OUTRIDER_LOG__LEVEL: log\.level: .*\na flag: mail\.smtpHost: /m);
  expect(load).not.toThrow(file);
});

test.each([
  ['log:\n\tlevel: info\n', /:2:1: is indented with a tab/],
  ['port: 1\nport: 2\n', /:2:1: the same name stands here a second time/],
  ['log:\n  level: info\n port: 1\n', /:3:\d+: the indentation does not fit/],
  ['log: { level: *loud }\n', /:1:15: a name after \* is no anchor/],
  ['- a\n', /must hold settings as "name: value" lines, and is a list/],
])('a fault of YAML in %j is told without words of its parser', (text, words) => {
  expect(() => loadSettings(Schema, { file: fileOf(text), env: {}, flags: {} })).toThrow(words);
});

test('a name that stands twice hides no other fault of the file', () => {
  const file = fileOf('port: 1\nport: x\nlog: { level: loud }\n');
  const load = (): unknown => loadSettings(Schema, { file, env: {}, flags: {} });
  expect(load).toThrow(/:2:1: the same name .*\n.*: port: must be .*\n.*:3:8: log\.level: /);
});

test('the faults of an error are its own list, or its reason', () => {
  const load = (): unknown => loadSettings(Schema, { env: {}, flags: { port: 'x', log: { level: 'loud' } } });
  let thrown: unknown;
  try {
    load();
  } catch (error) {
    thrown = error;
  }
  expect(faultsOf(thrown)).toHaveLength(2);
  expect(faultsOf(new Error('no room'))).toEqual(['no room']);
});

test('a text is read as a number, and a number as a text, but nothing is rounded to fit', () => {
  const Some = Type.Object({
    whole: Type.Integer({ default: 1 }),
    share: Type.Number({ default: 1 }),
    host: Type.String({ default: '' }),
    on: Type.Boolean({ default: false }),
    labels: Type.Record(Type.String(), Type.String(), { default: {} }),
    sizes: Type.Array(Type.Object({ size: Type.Integer() }), { default: [] }),
  });
  const read = (tree: unknown) => {
    const faults: string[] = [];
    return { settings: checkSettings(Some, tree, faults), faults };
  };
  const good = { whole: '3', share: '0.5', host: 12, on: 'true', labels: { rack: 7 }, sizes: [{ size: '2' }] };
  expect(read(good)).toEqual({
    settings: { whole: 3, share: 0.5, host: '12', on: true, labels: { rack: '7' }, sizes: [{ size: 2 }] },
    faults: [],
  });
  for (const wrong of [{ whole: 1.5 }, { whole: '1.5' }, { whole: true }, { sizes: [{ size: 1.5 }] }, { on: 1 }])
    expect([wrong, read(wrong).faults.length]).toEqual([wrong, 1]);
});

test('what a program finds besides the schema stands in the same list', () => {
  const check = (): string[] => ['port: is taken by ingest'];
  expect(() => loadSettings(Schema, { env: {}, flags: { port: 'high' } }, check)).toThrow(
    /port: must be a whole number.*\n.*port: is taken by ingest/,
  );
});

test('a misspelt variable is named with the one that is meant; those with another meaning are not', () => {
  const env = {
    OUTRIDER_PROT: '1',
    OUTRIDER_COLLECTORS__DISK__INTERVAL: '1',
    OUTRIDER_PORT: '1',
    OUTRIDER_MAIL__PASSWORD_FILE: 'x',
    OUTRIDER_JOIN_TOKEN: 'x',
    OUTRIDER_DATA: 'x',
    OUTRIDER_TEST_SSHD: 'x',
    HOME: 'x',
  };
  expect(unknownVariables(Schema, env)).toEqual([
    { variable: 'OUTRIDER_PROT', meant: 'OUTRIDER_PORT' },
    { variable: 'OUTRIDER_COLLECTORS__DISK__INTERVAL' },
  ]);
});

test('variables of a section that another program of the same family knows are left alone', () => {
  const schema = Type.Object({
    port: Type.Integer(),
    series: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  });
  const env = { OUTRIDER_SERIES__URL: 'x', OUTRIDER_SERIES: 'x', OUTRIDER_SERIESS__URL: 'x' };
  expect(unknownVariables(schema, env)).toEqual([{ variable: 'OUTRIDER_SERIESS__URL' }]);
});
