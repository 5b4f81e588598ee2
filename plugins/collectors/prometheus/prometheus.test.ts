import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { runCollector } from '../../../test/kit/run-collector.ts';
import { onServer } from '../../../test/services/index.ts';
import { prometheus as server } from '../../../test/services/prometheus.ts';
import { prometheus } from './index.ts';

await onServer(server, ({ url }) => {
  test('a real Prometheus is scraped, and what it counts grows', async () => {
    const targets = [{ name: 'self', url: `${url}/metrics`, keep: ['prometheus_http_requests_total', 'go_gc_*'] }];
    const [first, second] = await runCollector(prometheus, targets, () => fetch(`${url}/-/ready`));
    const of = (values: Record<string, number> | undefined, name: string, more = '') =>
      Object.entries(values ?? {}).find(([key]) => key.startsWith(`${name} ${more}`))?.[1] ?? NaN;
    expect(of(first, 'up')).toBe(1);
    expect(of(first, 'scrape_samples_scraped')).toBeGreaterThan(100);
    expect(of(first, 'go_gc_duration_seconds_count')).toBeGreaterThanOrEqual(0);
    const ready = 'code=200 handler=/-/ready';
    expect(of(second, 'prometheus_http_requests_total', ready)).toBeGreaterThan(of(first, 'prometheus_http_requests_total', ready)); // prettier-ignore
  });
});

test('an endpoint is told which formats are read, and one that is not there is up 0', async () => {
  const accepted: (string | undefined)[] = [];
  const endpoint = createServer((request, answer) => {
    accepted.push(request.headers.accept);
    answer.end('# TYPE a counter\na_total 1\n# EOF\n');
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const { port } = endpoint.address() as AddressInfo;
  const targets = [
    { name: 'here', url: `http://127.0.0.1:${port}/metrics` },
    { name: 'gone', url: 'http://127.0.0.1:1/metrics' },
  ];
  const [values] = await runCollector(prometheus, targets);
  endpoint.close();
  expect(values?.[`a_total job=here instance=127.0.0.1:${port}`]).toBe(1);
  expect(values?.['up job=gone instance=127.0.0.1:1']).toBe(0);
  expect(accepted[0]).toMatch(/^application\/openmetrics-text.*text\/plain/);
});
