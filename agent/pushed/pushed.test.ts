import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '#kit/manual-clock.ts';
import { SettingsState, type SettingsReport } from '#proto/agent/v1/index.ts';
import { PushedDocument } from '#proto/agent/v1/pushed.ts';
import { leavesOf, silentLogger } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentSchema } from '../config.ts';
import type { CollectorOutcome } from '../schedule.ts';
import { overFile, readDocument } from './document.ts';
import type { Condition } from './health.ts';
import { inForce, readKept } from './kept.ts';
import { countStart, createPushed, type PushedGiven } from './pushed.ts';

const COLLECTORS = ['cpu', 'exec', 'prometheus'];
const TRIAL = 60_000;

let data = '';
let clock = createManualClock();
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'outrider-pushed-'));
  clock = createManualClock();
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const outcome = (of: Partial<CollectorOutcome>): CollectorOutcome => ({
  ...{ intervalMs: 1000, runs: 9, failed: 0, fault: undefined, targets: new Map() },
  ...of,
});

/** An agent as the pushed settings see it, and what it told its hub. */
function agent(more: Partial<PushedGiven> = {}) {
  const condition: Condition & { collectors: Map<string, CollectorOutcome>; strains: string[] } = {
    collectors: new Map([['cpu', outcome({ intervalMs: 1000, runs: 9, failed: 0, fault: undefined })]]),
    lastAckMs: 0,
    strains: [],
  };
  const accept = { accept: true, trialSeconds: TRIAL / 1000 };
  const reloads: (string | undefined)[] = [];
  const told: SettingsReport[] = [];
  const part = createPushed({
    dataFolder: data,
    collectors: COLLECTORS,
    settings: () => ({ pushed: accept }),
    check: () => Promise.resolve(),
    reload: () => {
      reloads.push(inForce(readKept(data))?.revision);
      return Promise.resolve(undefined);
    },
    condition: () => ({ ...condition, lastAckMs: condition.lastAckMs }),
    unfit: undefined,
    clock,
    log: silentLogger,
    ...more,
  });
  part.watch((report) => told.push(report));
  const push = async (revision: number, document: unknown): Promise<void> => {
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    part.take({ $typeName: 'outrider.agent.v1.PushedSettings', revision: BigInt(revision), document: text });
    await clock.advance(0);
    await clock.advance(0);
  };
  /** A minute in which the hub acknowledges what the agent sends. */
  const minute = async (): Promise<void> => {
    await clock.advance(TRIAL / 2);
    condition.lastAckMs = clock.now();
    await clock.advance(TRIAL / 2);
    await clock.advance(0);
  };
  return { part, condition, accept, reloads, told, push, minute, last: () => told.at(-1) };
}

const INTERVAL = { collectors: { cpu: { interval: 10 } } };
const OTHER = { collectors: { cpu: { interval: 20 } } };

test('what may be pushed is a setting of the agent, and nothing in it is a program, a path, an output or a privilege', () => {
  const own = leavesOf(agentSchema([])).map(({ path }) => path.join('.'));
  const pushable = leavesOf(PushedDocument).map(({ path }) => path.join('.'));
  expect(pushable).toEqual(['log.level', 'collectors', 'drop', 'redact.email', 'redact.ip', 'redact.patterns']);
  for (const path of pushable.filter((one) => one !== 'collectors')) expect(own).toContain(path);
});

test.each([
  ['a program', { collectors: { exec: { programs: [{ name: 'x', command: ['/bin/sh'] }] } } }],
  ['how often programs run', { collectors: { exec: { interval: 1 } } }],
  ['a collector that is switched on', { collectors: { prometheus: { interval: 1, enabled: true } } }],
  ['an address', { collectors: { prometheus: { interval: 1, targets: [] } } }],
  ['a path', { logs: [{ include: ['/etc/shadow'] }] }],
  ['an output', { link: { transport: 'nats' } }],
  ['a budget', { budgets: { cpu: 64 } }],
  ['the switch itself', { pushed: { accept: true } }],
  ['secrets shown', { redact: { secrets: false } }],
  ['addresses shown', { redact: { ip: false } }],
  ['a hidden member', '{"collectors":{"__proto__":{"interval":1}}}'],
  ['an interval of no time', { collectors: { cpu: { interval: 0 } } }],
  ['a collector that there is none of', { collectors: { nonsense: { interval: 1 } } }],
  ['a pattern without end', { drop: [{ rule: 'x', pattern: '(a+)+$' }] }],
  ['a rule that says nothing', { drop: [{ rule: 'x' }] }],
  ['no JSON', '{'],
  ['a long text', JSON.stringify({ drop: [{ rule: 'x', pattern: 'a'.repeat(40_000) }] })],
])('%s refuses the whole, and nothing changes', async (_what, document) => {
  const { push, reloads, last } = agent();
  await push(1, typeof document === 'string' ? document : { ...INTERVAL, ...document });
  expect(last()).toMatchObject({ revision: 1n, state: SettingsState.REFUSED, code: 'pushed.not-allowed' });
  expect(last()?.problem).not.toBe('');
  expect(reloads).toEqual([]);
  expect(inForce(readKept(data))).toBeUndefined();
});

test('everything that is wrong with a document is told at once, each with its place', async () => {
  const { push, last } = agent();
  const drop = [{ rule: 'x', pattern: '(a+)+$' }, { rule: 'empty' }, { rule: 'y', pattern: '(' }]; // prettier-ignore
  await push(1, { collectors: { nonsense: { interval: 1 } }, drop });
  const places = [/collectors\.nonsense: /, /drop\.1: /, /drop\.0\.pattern: /, /drop\.2\.pattern: /];
  for (const place of places) expect(last()?.problem).toMatch(place);
});

test('what is in force is known while another revision was refused or taken back', async () => {
  const { part, push, minute, condition, accept } = agent();
  expect(part.revision()).toBeUndefined();
  await push(1, INTERVAL);
  expect(part.revision()).toBe('1');
  await minute();
  await push(2, { budgets: { cpu: 1 } });
  expect([part.verdict()?.revision, part.revision()]).toEqual(['2', '1']);
  await push(3, OTHER);
  expect(part.revision()).toBe('3');
  condition.strains.push('memory');
  await minute();
  expect([part.verdict()?.state, part.revision()]).toEqual(['rolled-back', '1']);
  accept.accept = false;
  part.settingsChanged();
  await clock.advance(0);
  expect(part.revision()).toBeUndefined();
});

test('settings are tried out at once and kept after a minute in which the agent is well', async () => {
  const { push, minute, reloads, last } = agent();
  await push(1, INTERVAL);
  expect(last()).toMatchObject({ revision: 1n, state: SettingsState.TRYING });
  expect(reloads).toEqual(['1']);
  await minute();
  expect(last()).toMatchObject({ revision: 1n, state: SettingsState.APPLIED, problem: '' });
  expect(readKept(data)?.proven?.document).toEqual(INTERVAL);
  await push(1, INTERVAL);
  expect(reloads).toEqual(['1']);
});

test('a number that comes again with another text is another revision', async () => {
  const { push, minute, reloads } = agent();
  await push(1, INTERVAL);
  await minute();
  await push(1, OTHER);
  expect(reloads).toEqual(['1', '1']);
  expect(inForce(readKept(data))?.document).toEqual(OTHER);
});

test.each([
  [
    'a collector that was fine fails',
    (c: Condition & { collectors: Map<string, CollectorOutcome> }) =>
      c.collectors.set('cpu', outcome({ intervalMs: 1000, runs: 3, failed: 1, fault: 'no answer' })),
    /cpu fails: no answer/,
  ],
  [
    'a collector that was fine is gone',
    (c: Condition & { collectors: Map<string, CollectorOutcome> }) => c.collectors.delete('cpu'),
    /cpu does not run/,
  ],
  [
    'a collector is never run',
    (c: Condition & { collectors: Map<string, CollectorOutcome> }) =>
      c.collectors.set('cpu', outcome({ intervalMs: 10_000, runs: 0, failed: 0, fault: undefined })),
    /cpu has not run/,
  ],
  [
    'a budget is overdrawn',
    (c: Condition & { strains: string[] }) => c.strains.push('over its budget of cpu'),
    /budget of cpu/,
  ],
] as const)('the proven settings come back when %s', async (_what, spoil, words) => {
  // prettier-ignore
  const { push, minute, condition, reloads, last } = agent();
  await push(1, INTERVAL);
  await minute();
  await push(2, OTHER);
  spoil(condition);
  await minute();
  expect(last()).toMatchObject({ revision: 2n, state: SettingsState.ROLLED_BACK, code: 'pushed.unwell' });
  expect(last()?.problem).toMatch(words);
  expect(reloads).toEqual(['1', '2', '1']);
  await push(2, OTHER);
  expect(reloads).toEqual(['1', '2', '1']);
});

test('a target that answered and does not any more takes settings back; one that never did, or was not asked, does not', async () => {
  const { push, minute, condition, last } = agent();
  const before = new Map([
    ['app', true],
    ['broken', false],
    ['seldom', true],
  ]);
  condition.collectors.set('prometheus', outcome({ targets: before }));
  await push(1, INTERVAL);
  condition.collectors.set('prometheus', outcome({ targets: new Map([...before, ['app', false]]) }));
  await minute();
  expect(last()).toMatchObject({
    state: SettingsState.ROLLED_BACK,
    problem: 'app does not answer prometheus any more',
  });
  condition.collectors.set('prometheus', outcome({ targets: before }));
  await push(2, INTERVAL);
  condition.collectors.set('prometheus', outcome({ targets: new Map([['app', true]]) }));
  await minute();
  expect(last()).toMatchObject({ revision: 2n, state: SettingsState.APPLIED });
});

test('settings under which the hub acknowledges nothing more are taken back', async () => {
  const { push, condition, reloads, last } = agent();
  await push(1, INTERVAL);
  condition.lastAckMs = clock.now() + 1000;
  await clock.advance(TRIAL);
  expect(last()?.problem).toMatch(/acknowledged no batch/);
  expect(reloads).toEqual(['1', undefined]);
});

test('what was bad before is not blamed on new settings, and a collector that is rarely due has time', async () => {
  const { push, minute, condition, last } = agent();
  condition.strains.push('over its budget of memory');
  condition.collectors.set('prometheus', outcome({ intervalMs: 1000, runs: 4, failed: 4, fault: 'nobody listens' }));
  await push(1, { collectors: { cpu: { interval: 3600 } } });
  condition.collectors.set('cpu', outcome({ intervalMs: 3_600_000, runs: 0, failed: 0, fault: undefined }));
  await minute();
  expect(last()).toMatchObject({ state: SettingsState.APPLIED });
});

test('settings that cannot be put in force are taken back at once', async () => {
  const answers = ['the port is taken', undefined];
  const { push, last } = agent({ reload: () => Promise.resolve(answers.shift()) });
  await push(1, INTERVAL);
  expect(last()).toMatchObject({ state: SettingsState.ROLLED_BACK });
  expect(last()?.problem).toMatch(/the port is taken/);
  expect(inForce(readKept(data))).toBeUndefined();
});

test('a killed agent goes on with the trial; one that is killed again goes back', async () => {
  const first = agent();
  await first.push(1, INTERVAL);
  await first.minute();
  await first.push(2, OTHER);
  // Killed: nothing is said and nothing written.
  expect(countStart(data, clock.now())).toBe(false);
  expect(inForce(readKept(data))?.revision).toBe('2');
  const second = agent();
  await second.part.start?.();
  expect(second.told[0]).toMatchObject({ revision: 2n, state: SettingsState.TRYING });
  expect(countStart(data, clock.now())).toBe(true);
  expect(inForce(readKept(data))?.revision).toBe('1');
  expect(agent().told[0]).toMatchObject({ revision: 2n, state: SettingsState.ROLLED_BACK, code: 'pushed.ended' });
});

test('a trial that a kill interrupted is judged after the restart', async () => {
  const first = agent();
  await first.push(1, INTERVAL);
  await first.part.stop?.();
  countStart(data, clock.now());
  const second = agent();
  await second.part.start?.();
  await second.minute();
  expect(second.last()).toMatchObject({ revision: 1n, state: SettingsState.APPLIED });
});

test('orderly stops are not counted', async () => {
  for (let n = 0; n < 4; n++) {
    const one = agent();
    if (n === 0) await one.push(1, INTERVAL);
    else expect(countStart(data, clock.now())).toBe(false);
    const again = agent();
    await again.part.start?.();
    await again.part.stop?.();
  }
  expect(inForce(readKept(data))?.revision).toBe('1');
});

test('the hub can take back all that it pushed', async () => {
  const { push, minute, reloads, last } = agent();
  await push(1, INTERVAL);
  await minute();
  await push(0, '');
  expect(last()).toMatchObject({ revision: 0n, state: SettingsState.APPLIED });
  expect(reloads).toEqual(['1', undefined]);
});

test('an agent that takes nothing says so, drops what it had, and asks again once it does', async () => {
  const { push, minute, part, accept, last } = agent();
  await push(1, INTERVAL);
  await minute();
  accept.accept = false;
  part.settingsChanged();
  await clock.advance(0);
  expect(last()).toMatchObject({ revision: 1n, state: SettingsState.REFUSED, code: 'pushed.not-accepted' });
  expect(inForce(readKept(data))).toBeUndefined();
  await push(2, OTHER);
  expect(last()).toMatchObject({ revision: 2n, code: 'pushed.not-accepted' });
  accept.accept = true;
  part.settingsChanged();
  await clock.advance(0);
  expect(last()).toMatchObject({ revision: 0n });
});

test('kept settings of another version that do not fit any more are dropped with their reason', async () => {
  const first = agent();
  await first.push(1, INTERVAL);
  await first.minute();
  const second = agent({ unfit: 'there is no such setting' });
  await second.part.start?.();
  expect(second.last()).toMatchObject({ revision: 1n, state: SettingsState.REFUSED, code: 'pushed.unfit' });
});

test('levels and intervals replace those of the file; rules are added and show nothing that the file hides', () => {
  const file = {
    log: { level: 'warn' },
    collectors: { cpu: { interval: 5, perCore: 'none' } },
    drop: [{ rule: 'mine', below: 'info' }],
    redact: { secrets: true, patterns: [{ name: 'mine', pattern: 'abc' }] },
  };
  const text = JSON.stringify({
    log: { level: 'debug' },
    collectors: { cpu: { interval: 10 } },
    drop: [{ rule: 'theirs', pattern: 'health' }],
    redact: { ip: true, patterns: [{ name: 'theirs', pattern: 'def' }] },
  });
  const { document } = readDocument(text, COLLECTORS);
  expect(overFile(file, document ?? {})).toEqual({
    log: { level: 'debug' },
    collectors: { cpu: { interval: 10, perCore: 'none' } },
    drop: [
      { rule: 'mine', below: 'info' },
      { rule: 'theirs', pattern: 'health' },
    ],
    redact: {
      secrets: true,
      ip: true,
      patterns: [
        { name: 'mine', pattern: 'abc' },
        { name: 'theirs', pattern: 'def' },
      ],
    },
  });
});
