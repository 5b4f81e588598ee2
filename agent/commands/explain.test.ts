import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSettings, silentLogger } from '#sdk';
import { stringify } from 'yaml';
import { agentSchema, type AgentSettings } from '../config.ts';
import { openSpool } from '../spool/index.ts';
import { followFile } from '../tail/followed-file.ts';
import { openSync } from 'node:fs';
import { describeFile, explainFile } from './explain.ts';

let folder = '';
let loaded: { settings: AgentSettings; file: string | undefined };
const NOW = Date.UTC(2026, 0, 31);
const explain = (path: string) => explainFile(loaded, path, NOW);
const describe = (path: string, json = false) => describeFile(loaded, path, { json, nowMs: NOW });

/** Settings that a file says, with its lines. */
function loadWith(tree: object): typeof loaded {
  const file = join(folder, 'agent.yaml');
  writeFileSync(file, stringify({ data: folder, ...tree }));
  return { settings: loadSettings(agentSchema([]), { file, env: {}, flags: {} }) as AgentSettings, file };
}

/** What an agent of this folder wrote down of itself. */
function writeStatus(status: object): void {
  writeFileSync(
    join(folder, 'status.json'),
    JSON.stringify({ files: [], pid: process.pid, writtenMs: NOW, ...status }),
  );
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-explain-'));
  mkdirSync(join(folder, 'spool'));
  loaded = loadWith({ logs: [{ include: [join(folder, '*.log')], exclude: [join(folder, 'debug*')] }] });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A file that was read to its end, as the spool of a running agent has it. */
async function readWhole(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, text);
  const followed = followFile(openSync(path, 'r'), { path, start: 'beginning' });
  while (followed.read() !== undefined);
  const spool = await openSpool({ folder: join(folder, 'spool'), limit: 1e9, log: silentLogger });
  const nothing = Buffer.alloc(0);
  await spool.append({
    metrics: nothing,
    logs: nothing,
    tables: new Map(),
    checkpoints: [followed.checkpoint()],
    sources: new Map(),
  });
  followed.close();
  await spool.close();
  return path;
}

test('a file that is read says by which glob, and how far', async () => {
  const path = await readWhole('app.log', 'one\ntwo\n');
  appendFileSync(path, 'three\n');
  const { isRead, reason, facts, includedBy, offset, size } = explain(path);
  expect([isRead, offset, size, includedBy]).toEqual([true, 8, 14, join(folder, '*.log')]);
  expect(reason).toBe(`${join(folder, '*.log')} names it`);
  expect(facts).toEqual(['read up to byte 8 of 14; 6 are left']);
});

test.each([
  ['none.log', 'there is no such file'],
  ['no/where/app.log', 'there is no folder'],
  ['spool', 'it is no regular file'],
  ['app.txt', 'no entry of logs names it'],
  ['debug.log', 'leaves it out'],
])('%s is not read: %s', (name, reason) => {
  for (const file of ['app.txt', 'debug.log']) writeFileSync(join(folder, file), 'text\n');
  const { text, isRead } = describe(join(folder, name));
  expect(isRead).toBe(false);
  expect(text).toContain(reason);
});

test('a rotated copy, a binary file and one that was written anew are called so', async () => {
  const path = await readWhole('app.log', 'one\ntwo\n');
  copyFileSync(path, `${path}.1`);
  expect(explain(`${path}.1`)).toMatchObject({ isRead: false, copyOf: path });
  writeFileSync(path, Buffer.from('ONE\0TWO\n'));
  const { facts } = explain(path);
  expect(facts.join()).toMatch(/written anew.*|zero bytes/);
  expect(JSON.parse(describe(path, true).text)).toMatchObject({ file: path, isRead: true, offset: 8 });
});

test('the entry that counts is named with its line and what it brings, and those that do not count beside it', () => {
  const path = join(folder, 'app.log');
  writeFileSync(path, 'one\n');
  const entry = {
    include: [path],
    format: 'json',
    multiline: { mode: 'start', start: '^x' },
    drop: [{ rule: 'probes', pattern: 'GET /live' }],
  };
  loaded = loadWith({
    logs: [{ include: ['/elsewhere/*.log'] }, entry, { include: [join(folder, '*.log')] }],
    drop: [{ rule: 'quiet', below: 'info' }],
    redact: { email: true, patterns: [{ name: 'card', pattern: 'c-\\d+' }] },
  });
  const lines = readFileSync(loaded.file ?? '', 'utf8').split('\n');
  const lineOf = (text: string): number => lines.findIndex((line) => line.includes(text)) + 1;
  const { text } = describe(path);
  expect(text).toContain(`logs.1 (${loaded.file}:${lineOf(path) - 1}) counts:`);
  expect(text).toContain('format: json; encoding: auto');
  expect(text).toContain('multiline: start at /^x/, whole after 1 s');
  expect(text).toContain('drop: probes (/GET /live/), quiet (below info)');
  expect(text).toContain('replaced: secrets, e-mail addresses, card');
  expect(text).toMatch(/logs\.2 \(.*:\d+\) names it too, and does not count/);
  expect(explain(path)).toMatchObject({
    entry: { place: 'logs.1', format: 'json' },
    otherEntries: [{ place: 'logs.2' }],
  });
});

test('the agent’s own log has an entry of its own', () => {
  mkdirSync(join(folder, 'log'));
  writeFileSync(join(folder, 'log', 'agent.log'), 'x\n');
  expect(explain(join(folder, 'log', 'agent.log'))).toMatchObject({ isRead: true, entry: { place: 'ownLog' } });
  loaded = loadWith({ ownLog: false, logs: [{ include: ['/elsewhere'] }] });
  expect(explain(join(folder, 'log', 'agent.log'))).toMatchObject({ isRead: false });
});

test('it is told whether the agent runs, and what is known without it', async () => {
  const path = await readWhole('app.log', 'one\n');
  expect(describe(path).text).toMatch(/is read when the agent runs\n[^]*no agent has run with the data folder/);
  writeStatus({ running: false });
  expect(describe(path).text).toMatch(
    /read to its end, byte 4\n[^]*the agent is not running \(it was last seen at 2026-01-31T00:00:00.000Z\)/,
  );
  writeStatus({ running: true, files: [path] });
  expect(describe(path).text).toMatch(/app\.log is read\n[^]*the agent is running\n$/);
});

test('one reason is given, the decisive one, and what to do next', () => {
  for (const name of ['app.log', 'app.log.1.gz', 'other.gz', 'app.txt']) writeFileSync(join(folder, name), 'x\n');
  const told = (name: string): string[] => describe(join(folder, name)).text.split('\n').slice(1, 3);
  expect(told('other.gz')).toEqual([
    expect.stringMatching(/^ {2}it is a packed copy: /),
    '  next: to have all of it read, unpack it under a name that an entry of logs names',
  ]);
  expect(told('app.txt')).toEqual([
    `  no entry of logs names it; the entries name ${join(folder, '*.log')}, ${join(folder, 'log', '*.log')}`,
    expect.stringContaining(`  next: add to logs in ${loaded.file}: - include: [${join(folder, 'app.txt')}]`),
  ]);
  expect(told('none.txt')).toEqual([
    expect.stringMatching(/^ {2}there is no such file, and no entry of logs names it/),
    expect.stringMatching(/^ {2}next: add to logs in .*; it is read as soon as it is there$/),
  ]);
  expect(told('none.log')).toEqual(['  there is no such file', expect.stringContaining('  next: nothing: ')]);
  writeStatus({ running: true, files: [join(folder, 'app.txt')] });
  expect(told('app.txt')[0]).toMatch(/the running agent follows it, although the settings/);
  expect(told('app.log')[0]).toMatch(/names it, but the running agent does not follow it/);
});

test('with a faulty file it is told what the running agent follows, that the file is not what runs, and each fault', () => {
  const path = join(folder, 'app.log');
  const faults = ['agent.yaml:1:1: a: no', 'agent.yaml:2:1: b: no'];
  const ask = () => describeFile(loaded, path, { json: false, nowMs: NOW, faults });
  expect(ask()).toMatchObject({ isRead: false, text: expect.stringContaining(faults.join('\n  ')) as unknown });
  const settings = { file: 'agent.yaml', sinceMs: NOW, faults, awaitRestart: [] };
  writeStatus({ running: true, files: [path], settings });
  expect(ask().isRead).toBe(true);
  expect(ask().text).toMatch(
    /is read\n {2}the running agent follows it[^]*on the disk is NOT what runs: it has 2 faults/,
  );
  expect(describe(path).text).toContain('NOT what runs');
});

test.runIf(process.getuid?.() === 0)('who may not look is told so in plain words, and what to do', () => {
  const path = join(folder, 'app.log');
  writeFileSync(path, 'one\n', { mode: 0o600 });
  chmodSync(folder, 0o755);
  chmodSync(join(folder, 'spool'), 0o700);
  const asNobody = (file: string) => {
    process.seteuid?.(65_534);
    const real = process.getuid;
    process.getuid = () => 65_534;
    try {
      return describe(file).text;
    } finally {
      process.getuid = real;
      process.seteuid?.(0);
    }
  };
  expect(asNobody(path)).toMatch(/may be read or not: you cannot tell/);
  expect(asNobody(path)).toContain(
    `whether the agent may, tells: sudo outrider-agent explain --data ${folder} ${path}`,
  );
  expect(asNobody(path)).toContain('belong to root and are closed to you, so what it follows is not known');
  expect(asNobody(join(folder, 'app.txt'))).toContain('is not read\n  there is no such file');
});
