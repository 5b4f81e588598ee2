import { expect, test } from 'vitest';
import { faultOf, isExpected, type Outcome } from './outcome.ts';

const tls = { ca: '', certificate: '', key: '', serverName: '', verify: true };
const target = { expectedStatus: ['2xx', '301'], minDays: 7, tls };
const NOW = 1_750_000_000_000;
const DAY = 86_400_000;
const fault = (outcome: Outcome, more: object = {}) => faultOf(outcome, { ...target, ...more }, NOW);

test('a status fits by itself or by its class', () => {
  expect([200, 204, 301, 302, 500].map((status) => isExpected(status, target.expectedStatus))).toEqual([true, true, true, false, false]); // prettier-ignore
});

test('what a check demands must all be so, and the first that is not is the reason', () => {
  expect(fault({ status: 200, isFound: true, certificate: { endsAt: NOW + 8 * DAY } })).toBeUndefined();
  expect(fault({ addresses: 2 })).toBeUndefined();
  expect(fault({ fault: 'connection refused' })).toBe('connection refused');
  expect(fault({ status: 503 })).toBe('the answer is status 503');
  expect(fault({ status: 200, isFound: false })).toBe('the answer does not hold the text');
  expect(fault({ status: 200, certificate: { endsAt: NOW + 6 * DAY } })).toBe('the certificate ends within 7 days');
  expect(fault({ addresses: 0 })).toBe('the name has no address');
});

test('a certificate that is not trusted is a fault unless the settings say that it need not be', () => {
  const outcome = { status: 200, certificate: { endsAt: NOW + 8 * DAY, fault: 'self-signed' } };
  expect(fault(outcome)).toBe('the certificate is not valid: self-signed');
  expect(fault(outcome, { tls: { ...tls, verify: false } })).toBeUndefined();
});
