import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Systeminformation } from 'systeminformation';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { portable } from './index.ts';
import {
  createIntern,
  emitDisks,
  emitLoad,
  emitLoadAverage,
  emitMemory,
  emitProcesses,
  emitSpace,
  emitTraffic,
  emitUptime,
  type Traffic,
} from './readings.ts';
import type { Emit } from '#sdk';

interface Answers {
  load: Systeminformation.CurrentLoadData;
  mem: Systeminformation.MemData;
  sizes: Systeminformation.FsSizeData[];
  operations: Systeminformation.DisksIoData | null;
  bytes: Systeminformation.FsStatsData | null;
  traffic: Traffic[];
  processes: Systeminformation.ProcessesData;
  average?: { load1: number; load5: number; load15: number };
  uptime: number;
}

const answersOf = (machine: string): Answers =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'testdata', `${machine}.json`), 'utf8')) as Answers;

function gather(work: (emit: Emit) => void): Record<string, number> {
  const values: Record<string, number> = {};
  work((name, value, attributes = {}) => {
    values[[name, ...Object.entries(attributes).map(([key, text]) => `${key}=${text}`)].join(' ')] = value;
  });
  return values;
}

test.each(['macos', 'windows'])('the answers of %s become the names that Linux uses', async (machine) => {
  const { load, mem, sizes, operations, bytes, traffic, processes, average, uptime } = answersOf(machine);
  const intern = createIntern();
  const values = gather((emit) => {
    emitLoad(emit, load, intern);
    emitMemory(emit, mem, intern);
    emitSpace(emit, sizes, intern);
    emitDisks(emit, operations, bytes, intern);
    emitTraffic(emit, traffic, intern);
    emitProcesses(emit, processes, { cores: 1, top: 2 }, intern);
    if (average !== undefined) emitLoadAverage(emit, average);
    emitUptime(emit, uptime);
  });
  expect(Object.values(values).every(Number.isFinite)).toBe(true);
  const golden = join(import.meta.dirname, 'testdata', `${machine}.expected.json`);
  await expect(`${JSON.stringify([{ values }], null, 2)}\n`).toMatchFileSnapshot(golden);
});

test('what a platform does not tell is left out, never NaN', () => {
  const counts = { bytes: 5, errors: -1, dropped: NaN };
  const values = gather((emit) => {
    emitTraffic(
      emit,
      [
        { name: 'en0', receive: counts, transmit: counts },
        { name: 'lo0', receive: counts, transmit: counts },
      ],
      createIntern(),
    );
    emitMemory(emit, { total: NaN } as Systeminformation.MemData, createIntern());
  });
  expect(values).toEqual({
    'system.network.io network.interface.name=en0 network.io.direction=receive': 5,
    'system.network.io network.interface.name=en0 network.io.direction=transmit': 5,
  });
});

test('processes are added up by executable, a hundred per cent standing for the cores it means', () => {
  const list = [
    { name: 'a', cpu: 50, memRss: 10 },
    { name: 'a', cpu: 25, memRss: 20 },
    { name: 'b', cpu: null, memRss: 5 },
    { name: 'c', cpu: 0, memRss: 1 },
  ] as unknown as Systeminformation.ProcessesProcessData[];
  const found = { all: 9, running: 1, blocked: 0, sleeping: 6, unknown: 0, list };
  const values = gather((emit) => emitProcesses(emit, found, { cores: 4, top: 1 }, createIntern()));
  expect(values).toMatchObject({
    'system.process.count process.state=running': 1,
    'system.process.count process.state=other': 2,
    'process.cpu.utilization process.executable.name=a': 3,
    'process.memory.usage process.executable.name=a': 30_720,
  });
  expect(Object.keys(values).filter((key) => /=[bc]$/.test(key))).toEqual([]);
});

test('equal attributes are one object', () => {
  const intern = createIntern();
  expect(intern({ a: '1' })).toBe(intern({ a: '1' }));
  expect(intern({ a: '1' })).not.toBe(intern({ a: '2' }));
});

test('both libraries answer on this machine', { timeout: 60_000 }, async () => {
  const [run] = await replay(portable, [{ x: '' }]);
  expect(run?.fault).toBeUndefined();
  const names = new Set(Object.keys(run?.values ?? {}).map((key) => key.split(' ')[0]));
  for (const name of [
    'system.cpu.busy',
    'system.memory.usage',
    'system.filesystem.limit',
    'system.uptime',
    'system.cpu.load_average.1m',
    'system.process.count',
    'system.network.io',
  ]) {
    expect(names).toContain(name);
  }
});
