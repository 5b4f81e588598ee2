import { existsSync, readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { until } from '../kit/programs.ts';
import { onServer } from './index.ts';
import { otelcol } from './otelcol.ts';

await onServer(otelcol, ({ url, file }) => {
  test('what the collector was given can be read from its file', async () => {
    const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
    const spans = [{ traceId, spanId, name: 'GET /', kind: 2, startTimeUnixNano: '1', endTimeUnixNano: '2' }];
    const response = await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
    });
    expect(response.status).toBe(200);
    await until('the span is in the file', () => existsSync(file) && readFileSync(file, 'utf8').includes(traceId));
  });
});
