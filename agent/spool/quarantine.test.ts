import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { spoolEntry as entry, textOf, waitingIn, waitingOf } from '../../test/kit/spooled.ts';
import { replayBatches, showSpool } from '../commands/spool.ts';
import type { Inspection } from './inspect.ts';
import { askForReplay, listQuarantine, quarantineOf } from './quarantine.ts';
import { openSpool, type Spool } from './spool.ts';

let data = '';
let folder = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'outrider-quarantine-'));
  folder = join(data, 'spool');
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const open = (): Promise<Spool> => openSpool({ folder, limit: 1e9, log: silentLogger });
const quarantine = (): string => quarantineOf(folder);
const idsOf = (): string[] => listQuarantine(quarantine()).map(({ id }) => id);

/** A spool that gave its first batch up, which had three lines, and holds a second one. */
async function withRefused(text = 'poison', size = 0): Promise<Spool> {
  const spool = await open();
  await spool.append(entry(text, size, new Map([['/a', [3, 30]]])));
  await spool.append(entry('after'));
  const [first] = waitingIn(spool, 'live');
  if (first === undefined) throw new Error('nothing waits');
  spool.giveUp(first, 'It cannot be read.');
  return spool;
}

test('a batch that is given up lies in the quarantine, counts as lost, and is told as a loss', async () => {
  const spool = await withRefused();
  expect(listQuarantine(quarantine())).toMatchObject([
    { reason: 'It cannot be read.', lines: 3, sources: ['/a'], isAsked: false },
  ]);
  expect(waitingOf(spool).map(textOf)).toEqual(['after']);
  expect(spool.lines()).toMatchObject({ put: 4, waiting: 1, lost: 3 });
  expect(spool.takeLosses()).toMatchObject([{ cause: 'refused', source: '/a', lines: 3, bytes: 30 }]);
  expect(spool.takeLosses()).toEqual([]);
  await spool.close();
});

test('a batch that is asked for is put back whole as a new one, once, and the ledger adds up', async () => {
  const spool = await withRefused();
  await spool.replay();
  expect(waitingOf(spool).map(textOf)).toEqual(['after']);
  expect(askForReplay(quarantine(), idsOf()[0] ?? '')).toBe(true);
  await spool.replay();
  await spool.replay();
  expect(idsOf()).toEqual([]);
  const batches = waitingOf(spool);
  expect(batches.map(textOf)).toEqual(['after', 'poison']);
  expect(batches[1]).toMatchObject({ lane: 'live', seq: 3n, lines: 3 });
  expect([...(batches[1]?.tables.keys() ?? [])]).toEqual([7n]);
  expect(spool.lines()).toEqual({ carried: 3, put: 4, waiting: 4, acknowledged: 0, lost: 3 });
  await spool.close();
});

test('a crash between putting back and deleting the file doubles nothing', async () => {
  const first = await withRefused();
  askForReplay(quarantine(), idsOf()[0] ?? '');
  cpSync(quarantine(), join(data, 'kept'), { recursive: true });
  await first.replay();
  await first.close();
  for (let starts = 0; starts < 2; starts++) {
    rmSync(quarantine(), { recursive: true });
    cpSync(join(data, 'kept'), quarantine(), { recursive: true });
    const next = await open();
    if (starts === 1) await next.append(entry('more'));
    await next.replay();
    expect(idsOf()).toEqual([]);
    expect(waitingOf(next).filter((batch) => textOf(batch) === 'poison')).toHaveLength(1);
    await next.close();
  }
});

test('a damaged file of the quarantine is not sent, and says so', async () => {
  const spool = await withRefused();
  const [name = ''] = readdirSync(quarantine());
  const bytes = readFileSync(join(quarantine(), name));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(join(quarantine(), name), bytes);
  await replayBatches(data, { ids: [], all: true });
  await spool.replay();
  expect(listQuarantine(quarantine())).toMatchObject([
    { isAsked: false, reason: 'this file is damaged and cannot be sent' },
  ]);
  expect(waitingOf(spool)).toHaveLength(1);
  await spool.close();
});

test('the quarantine keeps 16 MB, the newest', async () => {
  const spool = await open();
  for (let n = 0; n < 19; n++) await spool.append(entry(`poison ${n}`, 1_000_000));
  for (const batch of waitingOf(spool)) spool.giveUp(batch, 'It cannot be read.');
  const kept = listQuarantine(quarantine());
  expect(kept).toHaveLength(15);
  expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(16_000_000);
  await spool.close();
});

test('show tells what waits and what was refused, while the spool is open', async () => {
  const spool = await withRefused();
  for (let n = 0; n < 31; n++) await spool.append(entry(`batch ${n}`));
  const { segments, quarantine: refused, bytes } = JSON.parse(showSpool(data, true)) as Inspection;
  expect(bytes).toBe(spool.bytes());
  const lanes = segments.flatMap((segment) => segment.lanes);
  expect(lanes).toMatchObject([
    { lane: 'live', epoch: String(spool.epoch), batches: 31, lines: 33 },
    { lane: 'backfill', batches: 2, waiting: 2, lines: 2, bytes: 20 },
  ]);
  expect(refused).toMatchObject([{ lines: 3, reason: 'It cannot be read.' }]);
  const text = showSpool(data, false);
  expect(text).toContain('live     31 batches');
  expect(text).toContain(`${idsOf()[0]}  3 lines of /a; put `);
  await spool.close();
  expect(showSpool(data, false)).toContain('30 wait for the hub');
});

test('replay says what happens, refuses what is not there, and the next start puts it back', async () => {
  const spool = await withRefused();
  await spool.close();
  await expect(replayBatches(data, { ids: ['nothing'], all: false })).rejects.toThrow(/There is no nothing/);
  await expect(replayBatches(data, { ids: [], all: false })).rejects.toThrow(/--all/);
  const [id = ''] = idsOf();
  expect(await replayBatches(data, { ids: [id], all: false })).toBe(
    `1 batches are sent again once the agent is started: ${id}\n`,
  );
  expect(showSpool(data, false)).toContain('(is to be sent again)');
  const again = await open();
  await again.replay();
  expect(waitingIn(again, 'live').map(textOf)).toEqual(['poison']);
  expect(await replayBatches(data, { ids: [], all: true })).toBe('The quarantine is empty.\n');
  await again.close();
});

test('a folder without a spool is told', () => {
  expect(() => showSpool(join(data, 'nowhere'), false)).toThrow(/holds no spool/);
});
