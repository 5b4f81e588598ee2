import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DetectionDocument } from '#proto/agent/v1/detection.ts';
import { DetectionSchema, type DetectionReport } from '#proto/agent/v1/index.ts';
import { silentLogger } from '#sdk';
import { createModelJudges } from './models/judges.ts';
import { createSensitivity } from './sensitivity.ts';

let dataFolder = '';
let inForce: DetectionDocument[] = [];
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'outrider-sensitivity-'));
  inForce = [];
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

const start = (accepts = true) => {
  const judges = createModelJudges({ log: silentLogger, detection: { metrics: true, tensorFlow: false }, saved: [] });
  const part = createSensitivity({
    ...{ dataFolder, log: silentLogger, judges, accepts: () => accepts },
    apply: (document) => void inForce.push(document),
  });
  const told: DetectionReport[] = [];
  part.watch((report) => told.push(report));
  return { part, told };
};
const given = (revision: bigint, document: unknown) =>
  create(DetectionSchema, {
    revision,
    document: typeof document === 'string' ? document : JSON.stringify(document),
  });

const QUIETER = { offset: 2, series: [{ metric: 'system.cpu.busy', attributes: { core: '1' }, offset: 16 }] };

test('what the hub gives is in force, told, and in force again at the next start', () => {
  const { part, told } = start();
  expect(told).toMatchObject([{ revision: 0n }]);
  part.take(given(18_000_000_000_000_000_001n, QUIETER));
  expect(told.at(-1)).toMatchObject({ revision: 18_000_000_000_000_000_001n });
  expect(inForce).toEqual([QUIETER]);
  expect(start().told).toMatchObject([{ revision: 18_000_000_000_000_000_001n }]);
  expect(inForce).toEqual([QUIETER, QUIETER]);
});

test.each([
  ['no JSON', '{'],
  ['a host that is deaf', { offset: 17 }],
  ['a series that is deaf', { series: [{ metric: 'a', offset: 1e9 }] }],
  ['no number', { offset: null }],
  ['more than there may be', { series: Array.from({ length: 201 }, () => ({ metric: 'a' })) }],
  ['a member that nobody knows', { offset: 1, command: 'x' }],
  ['a long text', ' '.repeat(131_073)],
])('%s is refused, and what was before stays', (_what, document) => {
  const { part, told } = start();
  part.take(given(1n, QUIETER));
  part.take(given(2n, document));
  expect(inForce).toEqual([QUIETER]);
  expect(told.at(-1)).toMatchObject({ revision: 1n });
});

test.each(['', '{"revision":"1"}', '{"revision":"x","document":{"offset":1,"series":[]}}', '\0'])(
  'a damaged file (%j) is nothing',
  (text) => {
    mkdirSync(join(dataFolder, 'pushed'));
    writeFileSync(join(dataFolder, 'pushed/detection.json'), text);
    expect(start().told).toMatchObject([{ revision: 0n }]);
    expect(inForce).toEqual([]);
  },
);

test('what cannot be written down is not in force', () => {
  writeFileSync(join(dataFolder, 'pushed'), 'in the way');
  const { part, told } = start();
  part.take(given(1n, QUIETER));
  expect(told).toHaveLength(1);
  expect(inForce).toEqual([]);
});

test('an agent that takes nothing from the hub says nothing of it, and goes by nothing that it kept', () => {
  start().part.take(given(1n, QUIETER));
  inForce = [];
  const { part, told } = start(false);
  part.take(given(2n, QUIETER));
  expect([told, inForce]).toEqual([[], []]);
});
