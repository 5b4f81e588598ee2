import { expect, test } from 'vitest';
import { readLabels } from './labels.ts';

test('labels are pairs with spaces or commas between', () => {
  expect(readLabels('env=prod, team=core')).toEqual({ labels: { env: 'prod', team: 'core' } });
  expect(readLabels('expression=a=b')).toEqual({ labels: { expression: 'a=b' } });
  expect(readLabels('')).toEqual({ labels: {} });
});

test('what is no pair is named', () => {
  for (const text of ['prod', 'env=', '=prod', 'env=prod team']) expect(readLabels(text)).toHaveProperty('fault');
});
