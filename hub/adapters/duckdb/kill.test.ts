import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KILLED_ORG as ORG, KILLED_START as START, appendAndKill } from '#kit/killed-stores.ts';
import { makeAdapter } from '#kit/stores.ts';
import { expect, test } from 'vitest';
import { embeddedLogstore } from '../logstore/embedded/index.ts';
import { embeddedSeries } from '../series/embedded/index.ts';

const KILLS = 5;
const AGENTS = ['a', 'b', 'c'];

async function withStores<T>(folder: string, work: (stores: ReturnType<typeof makeStores>) => Promise<T>): Promise<T> {
  const stores = makeStores(folder);
  await Promise.all([stores.series.start?.(), stores.logs.start?.()]);
  try {
    return await work(stores);
  } finally {
    await Promise.all([stores.series.stop?.(), stores.logs.stop?.()]);
  }
}

test('a store that another process has open is refused with a sentence that names it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-lock-'));
  const path = join(folder, 'series', 'hot.duckdb');
  mkdirSync(join(folder, 'series'));
  const api = import.meta.resolve('@duckdb/node-api');
  const open = `import { DuckDBInstance } from '${api}'; await DuckDBInstance.create('${path}'); console.log('open'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', open], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    await expect(makeStores(folder).series.start?.()).rejects.toThrow(
      `${path} is open in another process (${child.pid}). Stop that one`,
    );
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
});

const makeStores = (folder: string) => ({
  series: makeAdapter(embeddedSeries, folder),
  logs: makeAdapter(embeddedLogstore, folder),
});

test('after kill -9 again and again every acknowledged batch is there, and every batch once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-kill-'));
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const durable = await appendAndKill(folder, 40 + 37 * kill);
      await withStores(folder, async ({ series, logs }) => {
        for (const agent of AGENTS) {
          const stored = (await series.port.acknowledged(ORG, agent, 1n)).live;
          expect(stored).toBeGreaterThanOrEqual(durable.get(`series ${agent}`) ?? 0n);
          const range = { from: START, to: START + 1e9, step: 1000, where: {}, by: [] };
          const [points] = await series.port.query(ORG, { resource: agent, names: ['n'], ...range });
          const seqs = Array.from({ length: Number(stored) }, (_, index) => index + 1);
          expect(points?.times).toEqual(seqs.map((seq) => START + seq * 1000));
          // One sample lost or twice would move an average.
          expect(points?.avg).toEqual(seqs.map((seq) => seq * 10 + 4.5));

          const lines = (await logs.port.acknowledged(ORG, agent, 1n)).live;
          expect(lines).toBeGreaterThanOrEqual(durable.get(`logs ${agent}`) ?? 0n);
          const page = await logs.port.search(
            ORG,
            { resources: [agent], from: START, to: START + 1e9 },
            { limit: 100_000, offset: 0 },
          );
          expect(page.lines.map(({ text }) => text).reverse()).toEqual(
            Array.from({ length: Number(lines) * 10 }, (_, index) => `line ${index + 10}`),
          );
        }
        const { samples } = await series.port.usage();
        const all = await Promise.all(AGENTS.map((agent) => series.port.acknowledged(ORG, agent, 1n)));
        expect(samples).toBe(all.reduce((sum, { live }) => sum + Number(live) * 10, 0));
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
