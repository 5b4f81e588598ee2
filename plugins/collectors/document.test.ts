import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { defineCollector } from '#sdk';
import { documentAll } from './document-all.ts';
import { collectorPage } from './document.ts';

const example = defineCollector({
  name: 'example',
  summary: 'Reads nothing.',
  platforms: ['linux', 'darwin'],
  intervalSeconds: 5,
  config: Type.Object({ kinds: Type.Array(Type.String(), { default: ['a|b'], description: 'Which kinds.' }) }),
  create: () => ({ collect() {} }),
});

test('a page tells settings, metrics and attributes from schema and captured series', () => {
  const page = collectorPage(example, ['system.disk.io system.device=a b disk.io.direction=read', 'system.uptime']);
  expect(page).toContain('| `kinds` | `["a\\|b"]` | Which kinds. |');
  expect(page).toContain('| `interval` | `5` | Seconds between two runs. |');
  expect(page).toContain('| `system.uptime` | gauge | `s` | Time since boot. |  |');
  expect(page).toMatch(
    /`system.disk.io` \| counter \| `By` .*`system.device`: `a b`<br>`disk.io.direction`: `read` \|/,
  );
});

test('what is written by hand is kept', () => {
  expect(collectorPage(example, [], '\n## Traps\n\nNone.\n')).toMatch(/by hand. -->\n\n## Traps\n\nNone.\n$/);
});

test('a collector without a captured machine is told what it lacks', async () => {
  const listed = { example: () => Promise.resolve(example) };
  await expect(documentAll('check', listed, '/nowhere')).rejects.toThrow(/example has no testdata\/.*CONTRIBUTING/);
});

test('every page in the tree is fresh: run `npx tsx plugins/collectors/document-all.ts` after a change', async () => {
  expect(await documentAll('check')).toEqual([]);
});
