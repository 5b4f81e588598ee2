import { expect, test } from 'vitest';
import { runCollector } from '../../../test/kit/run-collector.ts';
import { nginx as server } from '../../../test/services/nginx.ts';
import { onServer } from '../../../test/services/index.ts';
import { nginx } from './index.ts';

await onServer(server, ({ url }) => {
  test('a real nginx tells its connections and requests', async () => {
    const [first, second] = await runCollector(nginx, [{ name: 'main', url: `${url}/status` }], () => fetch(`${url}/`));
    const requests = (values: Record<string, number> = {}) => values['nginx.requests outrider.target=main'] ?? NaN;
    expect(first?.['outrider.target.up outrider.collector=nginx outrider.target=main']).toBe(1);
    expect(first?.['nginx.connections_current outrider.target=main state=writing']).toBeGreaterThanOrEqual(1);
    expect(requests(second)).toBeGreaterThanOrEqual(requests(first) + 2);
  });

  test('another page than the status is no answer, and another status than 200 neither', async () => {
    const targets = [
      { name: 'other', url: `${url}/` },
      { name: 'gone', url: 'http://127.0.0.1:1/' },
    ];
    const [values] = await runCollector(nginx, targets);
    const up = (name: string) => values?.[`outrider.target.up outrider.collector=nginx outrider.target=${name}`];
    expect([up('other'), up('gone')]).toEqual([0, 0]);
  });
});
