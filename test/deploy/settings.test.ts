import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { services } from '../../hub/catalogue.ts';
import { faultsOf, isPinned, read, ROOT, scratch } from './settings.ts';

const folder = scratch();
const EXAMPLES = readdirSync(join(ROOT, 'deploy', 'examples'));

test.each(EXAMPLES)('the hub takes the example %s', async (name) => {
  expect(await faultsOf(folder, { text: read(`examples/${name}`) })).toEqual([]);
});

test.each(Object.keys(services))('the service %s takes the example of a cluster alone', async (target) => {
  expect(await faultsOf(folder, { text: read('examples/cluster.yaml'), target })).toEqual([]);
});

test('a key that no setting has is found, also in a section that the target leaves alone', async () => {
  const faults = await faultsOf(folder, {
    text: 'logs: { dayz: 3 }\nblobs: { folder: x, secretKeyFil: y }\n',
    target: 'all',
  });
  expect(faults.join('\n')).toContain('dayz');
  expect(await faultsOf(folder, { text: 'blobs: { secretKeyFil: y }\n' })).toEqual([
    expect.stringMatching(/\.yaml:1:\d+: blobs: there is no "secretKeyFil" here; what there is: adapter, folder$/),
  ]);
  expect(await faultsOf(folder, { text: '', env: { OUTRIDER_LISTN: 'x' } })).toEqual(['OUTRIDER_LISTN is no setting']);
});

test.each([
  ['docker.io/library/redis:8.2.1-bookworm', true],
  ['docker.io/library/redis:latest', false],
  ['docker.io/library/redis', false],
  ['redis:8.2.1', false],
  ['localhost:5000/redis', false],
])('%s is pinned: %s', (image, is) => expect(isPinned(image)).toBe(is));
