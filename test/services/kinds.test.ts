import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KINDS } from './catalogue.ts';
import { onOwnServer, ownName } from './index.ts';
import { bornOf } from './processes.ts';

/** Elasticsearch needs ten seconds for each start: the tests of its adapter end it often enough. */
const QUICK = KINDS.filter(({ id }) => !id.startsWith('elasticsearch'));

for (const kind of QUICK) {
  await onOwnServer(kind, (start) => {
    describe(kind.title, () => {
      test('starts on loopback, comes back on the same address after a crash, and leaves nothing behind', async () => {
        const server = await start();
        const { hostname } = new URL(server.address.url);
        expect(hostname).toBe('127.0.0.1');
        await server.kill();
        expect(server.instance.processes.filter(({ pid, born }) => bornOf(pid) === born)).toEqual([]);
        await server.again();
        const { processes, folder } = server.instance;
        await server.stop();
        expect(processes.filter(({ pid, born }) => bornOf(pid) === born)).toEqual([]);
        expect(existsSync(folder)).toBe(false);
      }, 600_000);
    });
  });
}

test('every name of its own is another one, and fits a database, a bucket and an index', () => {
  const names = Array.from({ length: 100 }, () => ownName('Logs of the very first hub'));
  expect(new Set(names).size).toBe(100);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]{0,29}$/);
});
