import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { learnMovingHost, withConvolution } from '#kit/moving-host.ts';
import { until } from '#kit/programs.ts';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { HOST_MODEL_LIMIT } from '#proto/agent/v1/host-model.ts';
import { DetectionSchema, type DetectionReport } from '#proto/agent/v1/index.ts';
import { silentLogger } from '#sdk';
import type { HostModel } from '../../../plugins/models/index.ts';
import { createSensitivity } from '../sensitivity.ts';
import { createModelJudges } from './judges.ts';

let [v1, v2, v3]: HostModel[] = [];
beforeAll(async () => {
  [v1, v2, v3] = await Promise.all(['v1', 'v2', 'v3'].map((version) => learnMovingHost(version, { width: 6 })));
});
let dataFolder = '';
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'outrider-given-'));
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

/** An agent as it starts. */
function start({ accepts = true, metrics = true, tensorFlow = false } = {}) {
  const judges = createModelJudges({ log: silentLogger, detection: { metrics, tensorFlow }, saved: [] });
  const part = createSensitivity({ dataFolder, log: silentLogger, judges, accepts: () => accepts, apply: () => undefined }); // prettier-ignore
  const told: DetectionReport[] = [];
  part.watch((report) => told.push(report));
  return { part, judges, told, last: () => told.at(-1) };
}
const digestOf = (model: HostModel | undefined): Buffer => Buffer.from(model!.document.digest, 'hex');
/** A model as the hub sends it. */
const sent = (alias: string, model: HostModel | undefined, more: { document?: string; digest?: Buffer; version?: string } = {}) => ({
  ...{ alias, version: model!.document.version, digest: digestOf(model), document: JSON.stringify(model!.document) },
  ...more,
}); // prettier-ignore
const given = (revision: number, ...models: object[]) =>
  create(DetectionSchema, { revision: BigInt(revision), document: '{}', models });
const files = (): string[] => readdirSync(join(dataFolder, 'pushed/models')).sort();
const fileOf = (model: HostModel | undefined): string => `${model!.document.digest}.json`;
const used = (model: HostModel | undefined, alias: string) => ({ version: model!.document.version, alias, inUse: true, problem: '' }); // prettier-ignore

test('models of the hub take their places, are told, lie on the disk for their owner alone, and are found again', () => {
  const { part, judges, last } = start();
  part.take(given(5, sent('champion', v1), sent('shadow', v2)));
  const models = [used(v1, 'champion'), used(v2, 'shadow')];
  expect(last()).toMatchObject({ revision: 5n, models });
  expect([judges.seated('champion'), judges.seated('shadow')].map((one) => one?.document.version)).toEqual([
    'v1',
    'v2',
  ]);
  expect(files()).toEqual([fileOf(v1), fileOf(v2)].sort());
  expect(statSync(join(dataFolder, 'pushed/models', fileOf(v1))).mode & 0o777).toBe(0o600);
  const next = start();
  expect(next.last()).toMatchObject({ revision: 5n, models });
  expect(next.judges.judging()).toBe('champion');
});

test('an empty document is one that is on the disk; what is no longer named is removed', () => {
  const { part, judges, last } = start();
  part.take(given(1, sent('champion', v1), sent('shadow', v2)));
  part.take(given(2, sent('champion', v2, { document: '' })));
  expect(last()).toMatchObject({ revision: 2n, models: [used(v2, 'champion')] });
  expect(judges.seated('shadow')).toBeUndefined();
  expect(files()).toEqual([fileOf(v2)]);
  part.take(given(3));
  expect(last()).toMatchObject({ revision: 3n, models: [] });
  expect([judges.judging(), files()]).toEqual([undefined, []]);
});

const spoilt = (): string => JSON.stringify({ ...v2!.document, seed: 99 });
test.each([
  ['one whose content was changed', () => sent('champion', v2, { document: spoilt() }), /digest/],
  ['one of another digest', () => sent('champion', v2, { digest: digestOf(v1) }), /digest that came with it/],
  ['one without a digest', () => sent('champion', v2, { digest: Buffer.alloc(3) }), /SHA-256/],
  ['one that calls itself otherwise', () => sent('champion', v2, { version: 'v9' }), /calls itself v2/],
  ['one that is too long', () => sent('champion', v2, { document: ' '.repeat(HOST_MODEL_LIMIT + 1) }), /longer/],
  ['no JSON', () => sent('champion', v2, { document: '{' }), /JSON/],
  ['an alias that nobody knows', () => sent('emperor', v2), /alias/],
])('%s is refused and told; what judged before goes on, also after a restart', (_what, model, problem) => {
  const { part, judges, last } = start();
  part.take(given(1, sent('champion', v1)));
  const { version, alias } = model();
  const others = alias === 'champion' ? [] : [sent('champion', v1, { document: '' })];
  part.take(given(2, model(), ...others));
  const refused = { version, alias, inUse: false, problem: expect.stringMatching(problem) as string };
  expect(last()).toMatchObject({ revision: 2n });
  expect(last()?.models[0]).toMatchObject(refused);
  expect(judges.seated('champion')?.document.version).toBe('v1');
  expect(files()).toEqual([fileOf(v1)]);
  const next = start();
  expect(next.last()?.models[0]).toMatchObject(refused);
  expect(next.judges.seated('champion')?.document.version).toBe('v1');
  // The hub does not send again what was refused; it stays so.
  next.part.take(given(3, { ...model(), document: '' }));
  expect(next.last()?.models[0]).toMatchObject(refused);
});

test('of two models of one alias the first counts', () => {
  const { part, last } = start();
  part.take(given(1, sent('champion', v1), sent('champion', v2)));
  expect(last()?.models).toMatchObject([used(v1, 'champion'), { version: 'v2', inUse: false }]);
});

test.each([
  ['damaged', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('"seed":0', '"seed":1'))],
  ['cut short', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 900))],
  ['missing', (path: string) => rmSync(path)],
  ['another one', (path: string) => writeFileSync(path, JSON.stringify(v3!.document))],
])(
  'a model that is %s on the disk is not told, so that the hub gives it again; the other one goes on',
  (_what, spoil) => {
    start().part.take(given(7, sent('champion', v1), sent('shadow', v2)));
    spoil(join(dataFolder, 'pushed/models', fileOf(v1)));
    const { part, judges, last } = start();
    expect(last()).toMatchObject({ revision: 0n, models: [used(v2, 'shadow')] });
    expect([judges.judging(), judges.seated('shadow')?.document.version]).toEqual([undefined, 'v2']);
    part.take(given(7, sent('champion', v1), sent('shadow', v2, { document: '' })));
    expect(last()).toMatchObject({ revision: 7n, models: [used(v1, 'champion'), used(v2, 'shadow')] });
    expect(start().last()).toMatchObject({ revision: 7n });
  },
);

test('a model that the hub takes for known and that is not here is asked for once, then told as refused', () => {
  const { part, last, told } = start();
  const named = given(4, sent('champion', v1, { document: '' }));
  part.take(named);
  expect(last()).toMatchObject({ revision: 0n, models: [] });
  expect(start().last()).toMatchObject({ revision: 0n, models: [] });
  part.take(named);
  expect(last()).toMatchObject({ revision: 4n, models: [{ version: 'v1', inUse: false }] });
  expect(told).toHaveLength(3);
});

test('what cannot be written down takes no place, and nothing is told of it', () => {
  const { part, judges, told } = start();
  writeFileSync(join(dataFolder, 'pushed'), 'in the way');
  part.take(given(1, sent('champion', v1)));
  expect([told.length, judges.judging()]).toEqual([1, undefined]);
});

test('an agent that takes nothing from the hub judges by no model that it kept', () => {
  start().part.take(given(1, sent('champion', v1)));
  const { part, judges, told } = start({ accepts: false });
  part.take(given(2, sent('champion', v2)));
  expect([told, judges.judging()]).toEqual([[], undefined]);
});

test('the agent’s own model is told while it judges', () => {
  const { part, judges, last } = start();
  judges.seat('own', v3);
  expect(last()?.models).toMatchObject([used(v3, 'own')]);
  part.take(given(1, sent('champion', v1)));
  expect(last()?.models).toMatchObject([used(v1, 'champion')]);
});

test('an agent that judges no metrics says so', () => {
  const { part, last } = start({ metrics: false });
  part.take(given(1, sent('champion', v1)));
  expect(last()?.models).toMatchObject([{ version: 'v1', inUse: false, problem: expect.stringContaining('detection.metrics') as string }]); // prettier-ignore
});

test(
  'a model with layers that the agent has not is kept and told with the setting that helps; with it, TensorFlow runs it',
  { timeout: 60_000 },
  async () => {
    const model = withConvolution(v2!);
    const { part, judges, last } = start();
    part.take(given(1, sent('champion', v1)));
    part.take(given(2, sent('champion', model)));
    expect(last()?.models).toMatchObject([{ version: 'v2-convolution', inUse: false, problem: expect.stringMatching(/Conv1D.*detection.tensorFlow/) as string }]); // prettier-ignore
    expect([judges.seated('champion')?.document.version, files().length]).toEqual(['v1', 2]);
    const next = start({ tensorFlow: true });
    await until('it judges', () => next.judges.seated('champion')?.document.version === 'v2-convolution', 50);
    expect(next.last()?.models).toMatchObject([used(model, 'champion')]);
    expect(files()).toEqual([fileOf(model)]);
    expect(next.judges.judge({ endMs: 10_000, valueOf: () => 50 }).scores).toMatchObject([{ alias: 'champion', version: 'v2-convolution' }]); // prettier-ignore
    next.judges.seat('champion', { ...withConvolution(v3!), needsTensorFlow: ['Lambda'] });
    await until('it is refused', () => next.judges.problem('champion').includes('Lambda'));
    expect(next.judges.seated('champion')?.document.version).toBe('v2-convolution');
  },
);
