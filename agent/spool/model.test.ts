import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#sdk';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFaultyFiles, FAULTS, type Fault, type FaultyFiles } from '../../test/kit/faulty-files.ts';
import { spoolEntry, textOf, waitingOf } from '../../test/kit/spooled.ts';
import type { SpooledBatch } from './reader.ts';
import type { BatchKey } from './records.ts';
import { listSegments } from './segments.ts';
import { openSpool, type Spool } from './spool.ts';

type Action =
  | { do: 'put'; size: number; source: number; lines: number }
  | { do: 'fail'; fault: Fault; puts: number }
  | { do: 'acknowledge'; share: number }
  | { do: 'refuse' }
  | { do: 'restart'; power: number }
  | { do: 'damage'; kind: 'flip' | 'cut' | 'zeros'; file: number; at: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const put = fc.record({ do: fc.constant('put' as const), size: fc.nat(700), source: fc.nat(2), lines: fc.nat(9) });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: put },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      fault: fc.constantFrom(...FAULTS),
      puts: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), share }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), power: share }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('damage' as const),
      kind: fc.constantFrom('flip', 'cut', 'zeros'),
      file: fc.nat(),
      at: fc.nat(),
    }),
  },
);

/** What the model knows of a batch that the spool took. */
interface Taken {
  text: string;
  key: BatchKey;
  lines: number;
  /** Where its frame ends. */
  path: string;
  end: number;
  /** Somebody damaged its file at or before its end. */
  isHit: boolean;
  isSettled: boolean;
}

const nameOf = ({ epoch, lane, seq }: BatchKey): string => `${epoch} ${lane} ${seq}`;
const numberOf = (text: string): number => Number(/^batch (\d+)$/.exec(text)?.[1]);

/** A spool, and the book that is kept of what it must hold. */
interface Model {
  folder: string;
  files: FaultyFiles;
  taken: Taken[];
  /** The key under which each text was ever seen, and the other way round. */
  keys: Map<string, string>;
  texts: Map<string, string>;
  puts: number;
  spool: Spool;
}

/** Small segments, so that there are many. */
const openIn = (folder: string, files: FaultyFiles): Promise<Spool> =>
  openSpool({ folder, limit: 1e9, log: silentLogger, segmentBytes: 2500, files });

async function createModel(): Promise<Model> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-model-'));
  const files = createFaultyFiles();
  return { folder, files, taken: [], keys: new Map(), texts: new Map(), puts: 0, spool: await openIn(folder, files) };
}

async function closeModel(model: Model): Promise<void> {
  await model.spool.close();
  rmSync(model.folder, { recursive: true, force: true });
}

async function putOne(
  model: Model,
  { size, source, lines }: { size: number; source: number; lines: number },
): Promise<void> {
  const text = `batch ${model.puts++}`;
  const sources = new Map([[`/log/${source}`, [lines, lines * 10]]] as const);
  let key: BatchKey;
  try {
    key = await model.spool.append(spoolEntry(text, size, sources));
  } catch {
    return;
  }
  const { path = '', bytes = 0 } = listSegments(model.folder).at(-1) ?? {};
  model.taken.push({ text, key, lines, path, end: bytes, isHit: false, isSettled: false });
}

async function putFailing(model: Model, fault: Fault, puts: number): Promise<void> {
  model.files.fail(fault);
  for (let n = 0; n < puts; n++) await putOne(model, { size: 100, source: 0, lines: 1 });
  model.files.fail(undefined);
}

/** Everything that the spool gives out; demands what must hold of it at any time. */
function readAll(model: Model): SpooledBatch[] {
  const batches = waitingOf(model.spool);
  const newest = new Map<string, [seq: bigint, put: number]>();
  for (const batch of batches) {
    const [text, name] = [textOf(batch), nameOf(batch)];
    const put = numberOf(text);
    expect(put).toBeLessThan(model.puts); // Nothing comes that was not put.
    expect(model.keys.get(text) ?? name).toBe(name);
    expect(model.texts.get(name) ?? text).toBe(text);
    model.keys.set(text, name);
    model.texts.set(name, text);
    const lane = `${batch.epoch} ${batch.lane}`;
    const [seq, before] = newest.get(lane) ?? [0n, -1];
    expect(batch.seq > seq && put > before).toBe(true); // Each lane in the order in which it was put.
    newest.set(lane, [batch.seq, put]);
  }
  return batches;
}

function checkAll(model: Model): void {
  const waitingLines = model.spool.lines().waiting;
  const batches = readAll(model);
  const given = new Set(batches.map(textOf));
  for (const { text, isHit, isSettled } of model.taken) if (!isHit && !isSettled) expect([...given]).toContain(text);
  const lines = batches.reduce((sum, batch) => sum + batch.lines, 0);
  for (const { carried, put, waiting, acknowledged, lost } of model.spool.ledger().values())
    for (const unit of ['lines', 'bytes'] as const)
      expect(carried[unit] + put[unit]).toBe(waiting[unit] + acknowledged[unit] + lost[unit]);
  expect(model.spool.lines().waiting).toBe(lines);
  expect(waitingLines).toBeGreaterThanOrEqual(lines);
}

function acknowledgeSome(model: Model, upTo: number): void {
  const batches = readAll(model);
  const last = batches[Math.floor(upTo * batches.length) - 1];
  if (last === undefined) return;
  model.spool.acknowledge(last);
  for (const taken of model.taken)
    if (taken.key.epoch === last.epoch && taken.key.lane === last.lane && taken.key.seq <= last.seq)
      taken.isSettled = true;
}

function refuseFirst(model: Model): void {
  const [first] = readAll(model);
  if (first === undefined) return;
  model.spool.giveUp(first, 'It cannot be read.');
  for (const taken of model.taken) if (nameOf(taken.key) === nameOf(first)) taken.isSettled = true;
}

async function restart(model: Model, power: number, damage?: Extract<Action, { do: 'damage' }>): Promise<void> {
  const before = model.spool;
  if (damage === undefined && power < 0.5) await model.files.losePower(power * 2);
  else await before.close();
  if (damage !== undefined) damageFile(model, damage);
  model.spool = await openIn(model.folder, model.files);
  expect(model.spool.epoch).not.toBe(before.epoch);
}

function damageFile(model: Model, { kind, file, at }: Extract<Action, { do: 'damage' }>): void {
  const segments = listSegments(model.folder);
  const path = segments[file % segments.length]?.path ?? '';
  const bytes = readFileSync(path);
  const place = at % bytes.length;
  if (kind === 'flip') bytes[place] = (bytes[place] ?? 0) ^ 0x10;
  if (kind === 'zeros') bytes.fill(0, place);
  writeFileSync(path, kind === 'cut' ? bytes.subarray(0, place) : bytes);
  for (const taken of model.taken) if (taken.path === path && taken.end > place) taken.isHit = true;
}

async function act(model: Model, action: Action): Promise<void> {
  if (action.do === 'put') await putOne(model, action);
  else if (action.do === 'fail') await putFailing(model, action.fault, action.puts);
  else if (action.do === 'acknowledge') acknowledgeSome(model, action.share);
  else if (action.do === 'refuse') refuseFirst(model);
  else if (action.do === 'restart') await restart(model, action.power);
  else await restart(model, 1, action);
}

test('whatever the disk does, the spool opens, gives out what it took, in order and once, and its ledger adds up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 45 }), async (actions) => {
      const model = await createModel();
      try {
        for (const action of actions) {
          await act(model, action);
          if (action.do !== 'put') checkAll(model);
        }
        checkAll(model);
      } finally {
        await closeModel(model);
      }
    }),
    { seed: 5, numRuns: 60 },
  );
}, 120_000);

test('what is damaged in the middle of the spool is counted to the line, by source, and told once', async () => {
  const places = fc.record({ file: fc.nat(), at: fc.nat(), kind: fc.constantFrom('flip', 'cut', 'zeros') });
  const batches = fc.array(fc.tuple(fc.nat(600), fc.nat(2), fc.nat(9)), { minLength: 12, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(batches, places, async (sizes, { file, at, kind }) => {
      const model = await createModel();
      try {
        for (const [size, source, lines] of sizes) await putOne(model, { size, source, lines });
        const middle = listSegments(model.folder).length - 1;
        await restart(model, 1, { do: 'damage', kind, file: file % Math.max(1, middle - 1), at });
        const put = model.taken.reduce((sum, { lines }) => sum + lines, 0);
        if (middle < 2) return;
        const given = new Set(readAll(model).map(textOf));
        const lost = model.taken.filter(({ text }) => !given.has(text));
        for (const { isHit } of lost) expect(isHit).toBe(true);
        const lines = lost.reduce((sum, taken) => sum + taken.lines, 0);
        expect(model.spool.lines()).toEqual({
          carried: put,
          put: 0,
          waiting: put - lines,
          acknowledged: 0,
          lost: lines,
        });
        expect(model.spool.lostBatches).toBe(lost.length);
        const told = model.spool.takeLosses();
        expect(told.reduce((sum, loss) => sum + loss.lines, 0)).toBe(lines);
        for (const { cause } of told) expect(cause).toBe('spool-damaged');
        readAll(model);
        await restart(model, 1);
        readAll(model);
        expect(model.spool.takeLosses()).toEqual([]);
        expect(model.spool.lines()).toMatchObject({ carried: put - lines, lost: 0 });
      } finally {
        await closeModel(model);
      }
    }),
    { seed: 6, numRuns: 20 },
  );
}, 120_000);
