import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Component } from '#sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LogFilter, LogLineWrite, LogPage, LogStore, LogWrite } from './logstore.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const OTHER_ORG = '22222222-2222-4222-8222-222222222222';
const HOST = '33333333-3333-4333-8333-333333333333';
const OTHER_HOST = '44444444-4444-4444-8444-444444444444';
const EPOCH = 2n ** 63n + 5n;
const SYSLOG = '/var/log/sys log';
const DAY_MS = 86_400_000;

/** What the case of templates is done with. */
interface TemplateCase {
  store(): LogStore;
  append(lines: readonly LogLineWrite[], resource?: string, org?: string): Promise<void>;
  line(at: number, text: string, given?: Partial<LogLineWrite>): LogLineWrite;
  search(filter?: Partial<LogFilter>): Promise<LogPage>;
  texts(filter?: Partial<LogFilter>): Promise<string[]>;
  restart(): Promise<void>;
  start: number;
}

async function checkTemplates({ store, append, line, search, texts, restart, start }: TemplateCase): Promise<void> {
  const [took, failed] = ['00000000000000a1', 'ffffffffffffffff'] as const;
  const lines = [
    line(0, '10 of 10 took 10 ms', { template: took, parameters: ['10', '10', '10'] }),
    line(1, 'ü\u{1f525} took 2 ms', { template: took, parameters: ['\u{1f525}', '2'] }),
    line(12, 'it failed', { template: failed, level: 4 }),
    line(13, 'of no kind'),
  ];
  await append(lines);
  await append([line(14, 'theirs took 3 ms', { template: took, parameters: ['3'] })], HOST, OTHER_ORG);
  const range = { from: start, to: start + 3_600_000 };
  const check = async (): Promise<void> => {
    const found = await search();
    expect(found.lines.map(({ id: _, resource: __, ...rest }) => rest)).toEqual(lines.toReversed());
    expect(await texts({ templates: [took] })).toEqual(['ü\u{1f525} took 2 ms', '10 of 10 took 10 ms']);
    expect(await texts({ templates: [took, failed], levels: [4] })).toEqual(['it failed']);
    expect(await texts({ templates: [] })).toEqual([]);
    expect(await texts({ withoutTemplates: [took] })).toEqual(['of no kind', 'it failed']);
    expect(await store().histogram(ORG, { ...range, templates: [failed] }, 3_600_000)).toMatchObject([
      { counts: [0, 0, 0, 0, 1, 0] },
    ]);
    const { patterns, complete } = await store().patterns(ORG, range, 60_000);
    expect(complete).toBe(true);
    expect(patterns[0]).toEqual({
      template: took,
      counts: [0, 0, 2, 0, 0, 0],
      firstMs: start,
      lastMs: start + 1000,
      steps: [{ timeMs: start, count: 2 }],
      example: 'ü\u{1f525} took 2 ms',
    });
    expect(patterns.map(({ template }) => template).sort()).toEqual([took, failed, undefined]);
    const some = await store().patterns(ORG, { ...range, withoutTemplates: [took], levels: [2] }, 10_000);
    expect(some.patterns).toMatchObject([
      { template: undefined, steps: [{ timeMs: start + 10_000, count: 1 }], example: 'of no kind' },
    ]);
    expect((await store().patterns(OTHER_ORG, range, 60_000)).patterns).toMatchObject([
      { counts: [0, 0, 1, 0, 0, 0], example: 'theirs took 3 ms' },
    ]);
    expect(await store().patterns(ORG, { ...range, to: start }, 60_000)).toEqual({ patterns: [], complete: true });
  };
  await check();
  await restart();
  await check();
}

/** What every log store must do. `make` gives one, not started, whose data lie in or are named by the folder. */
export function logstoreContract(name: string, make: (folder: string) => Component & { port: LogStore }): void {
  describe(`log store ${name}`, () => {
    let folder: string;
    let adapter: Component & { port: LogStore };
    let store: LogStore;
    let seq: bigint;
    /** The beginning of a minute that is over, not long ago. */
    const start = Math.floor(systemClock.now() / 60_000) * 60_000 - 600_000;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'outrider-logstore-'));
      adapter = make(folder);
      await adapter.start?.();
      store = adapter.port;
      seq = 0n;
    });
    afterEach(async () => {
      await adapter.stop?.();
      rmSync(folder, { recursive: true, force: true });
    });

    const restart = async (): Promise<void> => {
      await adapter.stop?.();
      adapter = make(folder);
      await adapter.start?.();
      store = adapter.port;
    };
    const keyed = (given: Partial<LogWrite['key']> = {}): LogWrite['key'] => ({
      agent: HOST,
      epoch: EPOCH,
      lane: 1,
      seq: (seq += 1n),
      ...given,
    });
    const line = (at: number, text: string, given: Partial<LogLineWrite> = {}): LogLineWrite => ({
      timeMs: start + at * 1000,
      level: 2,
      source: SYSLOG,
      text,
      truncated: false,
      ...given,
    });
    const append = (lines: readonly LogLineWrite[], resource = HOST, org = ORG): Promise<void> =>
      store.append(org, { resource, key: keyed({ agent: `${org} ${resource}` }), lines });
    const search = (
      filter: Partial<LogFilter> = {},
      page: Partial<{ limit: number; offset: number }> = {},
      org = ORG,
    ): Promise<LogPage> =>
      store.search(org, { from: start, to: start + 3_600_000, ...filter }, { limit: 100, offset: 0, ...page });
    const texts = async (...given: Parameters<typeof search>): Promise<string[]> =>
      (await search(...given)).lines.map(({ text }) => text);

    describe('storing', () => {
      test('a line comes back as it was, newest first', async () => {
        await append([line(0, 'old', { level: 4, truncated: true }), line(2, 'new'), line(1, 'middle')]);
        const { lines, total, complete } = await search();
        expect(lines.map(({ id: _, ...rest }) => rest)).toEqual([
          { ...line(2, 'new'), resource: HOST },
          { ...line(1, 'middle'), resource: HOST },
          { ...line(0, 'old', { level: 4, truncated: true }), resource: HOST },
        ]);
        expect({ total, complete }).toEqual({ total: 3, complete: true });
        expect(new Set(lines.map(({ id }) => id)).size).toBe(3);
      });

      test('a resent batch is stored once, a batch without lines counts', async () => {
        const write = { resource: HOST, key: keyed(), lines: [line(0, 'once')] };
        await Promise.all([store.append(ORG, write), store.append(ORG, write)]);
        await store.append(ORG, write);
        expect((await search()).total).toBe(1);
        await store.append(ORG, { resource: HOST, key: keyed(), lines: [] });
        await store.append(ORG, { resource: HOST, key: keyed({ lane: 2, seq: 9n }), lines: [] });
        expect(await store.acknowledged(ORG, HOST, EPOCH)).toEqual({ live: 2n, backfill: 9n });
        expect(await store.acknowledged(ORG, HOST, 1n)).toEqual({ live: 0n, backfill: 0n });
        expect(await store.acknowledged(OTHER_ORG, HOST, EPOCH)).toEqual({ live: 0n, backfill: 0n });
      });

      test('everything is there after a restart, and new lines come behind', async () => {
        await append([line(5, 'before')]);
        const [before] = (await search()).lines;
        await restart();
        expect((await store.acknowledged(ORG, `${ORG} ${HOST}`, EPOCH)).live).toBe(1n);
        await append([line(5, 'after')]);
        const { lines } = await search();
        expect(lines.map(({ text }) => text)).toEqual(['after', 'before']);
        expect(lines[1]).toEqual(before);
        expect(lines[0]!.id > lines[1]!.id).toBe(true);
        expect(await store.sources(ORG, HOST)).toEqual([{ source: SYSLOG, lastMs: start + 5000 }]);
      });

      test('hostile text comes back as it was', async () => {
        const hostile = [
          'nul \0 byte',
          '\u{1f525} ☃ ÄÖ',
          'it\'s "; DROP TABLE line; --',
          '100 % _ \\',
          '',
          '\r\n\t',
          'x'.repeat(262_144),
        ];
        await append(hostile.map((text, index) => line(index, text, { source: `/s '%_ ${index}` })));
        expect((await texts()).reverse()).toEqual(hostile);
        await restart();
        expect((await texts()).reverse()).toEqual(hostile);
        expect((await store.sources(ORG, HOST)).map(({ source }) => source).sort()[0]).toBe(`/s '%_ 0`);
      });
    });

    describe('searching', () => {
      test('finds substrings without regard to case, and nothing in them has a meaning', async () => {
        await append(
          ['Über 100% of_it', "O'Brien\\n", 'nul \0 HERE', '[a-z]+ .*', 'ΣΊΣΥΦΟΣ İ'].map((text, index) =>
            line(index, text),
          ),
        );
        expect(await texts({ text: 'über' })).toEqual(['Über 100% of_it']);
        expect(await texts({ text: '0%' })).toEqual(['Über 100% of_it']);
        expect(await texts({ text: '%' })).toHaveLength(1);
        expect(await texts({ text: '_' })).toHaveLength(1);
        expect(await texts({ text: "o'b" })).toEqual(["O'Brien\\n"]);
        expect(await texts({ text: '\\' })).toHaveLength(1);
        expect(await texts({ text: '\0 here' })).toEqual(['nul \0 HERE']);
        expect(await texts({ text: '.*' })).toEqual(['[a-z]+ .*']);
        expect(await texts({ text: 'σίσυφοσ' })).toHaveLength(1);
        expect(await texts({ text: '' })).toHaveLength(5);
        expect(await texts({ text: 'absent' })).toEqual([]);
      });

      test('leaves out what must not appear, and picks levels, resources and sources', async () => {
        await append([
          line(0, 'a one', { level: 4 }),
          line(1, 'b one', { source: '/b' }),
          line(2, 'c two', { level: 5 }),
        ]);
        await append([line(3, 'd one')], OTHER_HOST);
        expect(await texts({ without: ['TWO', 'd '] })).toEqual(['b one', 'a one']);
        expect(await texts({ levels: [4, 5] })).toEqual(['c two', 'a one']);
        expect(await texts({ levels: [] })).toHaveLength(4);
        expect(await texts({ resources: [OTHER_HOST] })).toEqual(['d one']);
        expect(await texts({ resources: [] })).toEqual([]);
        expect(await texts({ source: '/b' })).toEqual(['b one']);
        expect(await texts({ source: '/b', resources: [OTHER_HOST] })).toEqual([]);
        expect(await texts({ text: 'one', levels: [2], resources: [HOST] })).toEqual(['b one']);
      });

      test('what wrote a line comes back with it, and lines are picked by it', async () => {
        const pod = (name: string, stream: string) => ({
          attributes: { 'k8s.pod.name': name, 'log.iostream': stream, "odd 'name": `"%_\\ ${name} ü` },
        });
        await append([line(0, 'a', pod('web-1', 'stdout')), line(1, 'b', pod('web-1', 'stderr'))]);
        await append([line(2, 'c', pod('web-2', 'stdout')), line(3, 'd')]);
        const by = (...asked: [string, string][]): Promise<string[]> =>
          texts({ attributes: asked.map(([name, value]) => ({ name, value })) });
        const check = async (): Promise<void> => {
          const { lines } = await search();
          expect(lines.map(({ attributes }) => attributes)).toEqual([
            undefined,
            pod('web-2', 'stdout').attributes,
            pod('web-1', 'stderr').attributes,
            pod('web-1', 'stdout').attributes,
          ]);
          expect(await by(['k8s.pod.name', 'web-1'])).toEqual(['b', 'a']);
          expect(await by(['k8s.pod.name', 'web-1'], ['log.iostream', 'stdout'])).toEqual(['a']);
          expect(await by(['k8s.pod.name', 'web-1'], ['k8s.pod.name', 'web-2'])).toEqual(['c', 'b', 'a']);
          expect(await by(["odd 'name", '"%_\\ web-2 ü'])).toEqual(['c']);
          expect(await by(['k8s.pod.name', 'WEB-1'])).toEqual([]);
          expect(await by(['k8s.pod', 'web-1'])).toEqual([]);
          const filter = {
            from: start,
            to: start + 3_600_000,
            attributes: [{ name: 'log.iostream', value: 'stdout' }],
          };
          expect(await store.histogram(ORG, filter, 3_600_000)).toMatchObject([{ counts: [0, 0, 2, 0, 0, 0] }]);
        };
        await check();
        // It is one file all the same.
        expect(await store.sources(ORG, HOST)).toEqual([{ source: SYSLOG, lastMs: start + 3000 }]);
        const [middle] = (await search({ text: 'b' })).lines;
        expect((await store.context(ORG, middle!.id, 5)).map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd']);
        await restart();
        await check();
      });

      test('what kind of line it is comes back with its parameters, and lines are picked and counted by it', () =>
        checkTemplates({ store: () => store, append, line, search, texts, restart, start }));

      test('the beginning of a range belongs to it, the end does not', async () => {
        await append([line(0, 'a'), line(1, 'b'), line(2, 'c')]);
        expect(await texts({ from: start + 1000, to: start + 2000 })).toEqual(['b']);
        expect(await texts({ from: start + 1000, to: start + 1000 })).toEqual([]);
        expect(await texts({ from: 0, to: Number.MAX_SAFE_INTEGER })).toHaveLength(3);
      });

      test('pages meet, also where many lines share one moment, and stay when more lines come', async () => {
        const all = Array.from({ length: 250 }, (_, index) => line(Math.floor(index / 100) * 300, `line ${index}`));
        await append(all);
        const to = start + 601_000;
        const got: string[] = [];
        for (let offset = 0; offset < 300; offset += 37) {
          const page = await search({ to }, { limit: 37, offset });
          expect(page.total).toBe(page.complete ? 250 : Math.min(page.total, 250)); // A busy store may stop counting.
          got.push(...page.lines.map(({ text }) => text));
          await append([line(602, 'newer')]);
        }
        expect(got).toEqual(all.map(({ text }) => text).reverse());
        await expect.poll(() => search({ to }, { limit: 0 })).toMatchObject({ total: 250, complete: true });
      });

      test('a histogram counts lines by step and level', async () => {
        await append([line(0, 'a'), line(9, 'a', { level: 4 }), line(10, 'b'), line(3000, 'a', { level: 0 })]);
        const filter = { from: start, to: start + 3_600_000 };
        expect(await store.histogram(ORG, filter, 10_000)).toEqual([
          { timeMs: start, counts: [0, 0, 1, 0, 1, 0] },
          { timeMs: start + 10_000, counts: [0, 0, 1, 0, 0, 0] },
          { timeMs: start + 3_000_000, counts: [1, 0, 0, 0, 0, 0] },
        ]);
        expect(await store.histogram(ORG, { ...filter, text: 'B' }, 10_000)).toHaveLength(1);
      });

      test('context gives the lines around one in its source, oldest first', async () => {
        await append(Array.from({ length: 20 }, (_, index) => line(Math.floor(index / 2), `n${index}`)));
        await append([line(4, 'elsewhere', { source: '/other' })]);
        await append([line(4, 'other host')], OTHER_HOST);
        const [middle] = (await search({ text: 'n9' })).lines;
        const around = async (count: number): Promise<string[]> =>
          (await store.context(ORG, middle!.id, count)).map(({ text }) => text);
        expect(await around(2)).toEqual(['n7', 'n8', 'n9', 'n10', 'n11']);
        expect(await around(0)).toEqual(['n9']);
        expect(await around(100)).toHaveLength(20);
        for (const id of ['', 'nothing', '1', '1-2', "1' OR 1=1", '9'.repeat(400)])
          expect(await store.context(ORG, id, 5)).toEqual([]);
        expect(await store.context(OTHER_ORG, middle!.id, 5)).toEqual([]);
      });
    });

    describe('keeping', () => {
      test('another org sees nothing and touches nothing', async () => {
        await append([line(0, 'ours')]);
        await append([line(1, 'theirs')], HOST, OTHER_ORG);
        expect(await texts()).toEqual(['ours']);
        expect(await texts({}, {}, OTHER_ORG)).toEqual(['theirs']);
        const filter = { from: start, to: start + 3_600_000 };
        expect(await store.histogram(OTHER_ORG, filter, 3_600_000)).toMatchObject([{ counts: [0, 0, 1, 0, 0, 0] }]);
        expect(await store.sources(OTHER_ORG, OTHER_HOST)).toEqual([]);
        await store.deleteResource(OTHER_ORG, HOST);
        expect(await texts()).toEqual(['ours']);
        expect(await texts({}, {}, OTHER_ORG)).toEqual([]);
      });

      test('a deleted resource is gone and may come again', async () => {
        await append([line(0, 'gone')]);
        await store.deleteResource(ORG, HOST);
        expect((await search()).total).toBe(0);
        expect(await store.sources(ORG, HOST)).toEqual([]);
        await append([line(1, 'back')]);
        await restart();
        expect(await texts()).toEqual(['back']);
      });

      test('what is past the retention goes, what is not stays', async () => {
        await append([line(-15 * 86_400, 'old'), line(0, 'young')]);
        await store.retain({ days: 14, diskLimit: 1e12 });
        expect(await texts({ from: start - 20 * DAY_MS })).toEqual(['young']);
      });

      test('usage tells bytes, lines and the oldest', async () => {
        expect(await store.usage()).toMatchObject({ lines: 0, oldestMs: undefined });
        await append([line(3, 'a'), line(0, 'b')]);
        const usage = await store.usage();
        expect(usage).toMatchObject({ lines: 2, oldestMs: start });
        expect(usage.bytes).toBeGreaterThan(0);
        await store.check();
      });
    });
  });
}
