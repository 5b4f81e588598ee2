import { expect, test } from 'vitest';
import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';
import { changesOf } from './document-words.ts';
import { keeping } from './merging.ts';

const BROAD: PushedDocument = {
  log: { level: 'warn' },
  collectors: { cpu: { interval: 5 }, memory: { interval: 60 } },
  drop: [{ rule: 'health', pattern: 'GET /health' }],
  redact: { email: true, patterns: [{ name: 'customer', pattern: 'c-\\d+' }] },
};
const NARROW: PushedDocument = {
  collectors: { cpu: { interval: 1 } },
  drop: [{ rule: 'health', pattern: 'GET /health' }, { rule: 'chatter', below: 'info' }],
  redact: { ip: true },
}; // prettier-ignore

test('what another group pushed is kept besides: rules of both, each once, and its own values where both have one', () => {
  expect(keeping(BROAD, NARROW)).toEqual({
    log: { level: 'warn' },
    collectors: { cpu: { interval: 1 }, memory: { interval: 60 } },
    drop: [{ rule: 'health', pattern: 'GET /health' }, { rule: 'chatter', below: 'info' }],
    redact: { email: true, ip: true, patterns: [{ name: 'customer', pattern: 'c-\\d+' }] },
  }); // prettier-ignore
  expect(changesOf(BROAD, keeping(BROAD, NARROW)).filter(({ after }) => after === undefined)).toEqual([]);
});

test('nothing comes of nothing', () => {
  expect(keeping({}, {})).toEqual({});
  expect([keeping(BROAD, {}), keeping({}, BROAD)]).toEqual([BROAD, BROAD]);
});
