import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPlain, serviceFor } from './path.ts';

const routes = [
  { prefix: '/api/v1/monitoring', service: 'monitoring' },
  { prefix: '/api/v1/monitoring/alerts', service: 'alerts' },
  { prefix: '/api/v1/users', service: 'users' },
];

test('the longest prefix wins, whatever the order', () => {
  for (const order of [routes, [...routes].reverse()]) {
    expect(serviceFor(order, '/api/v1/monitoring/alerts/active')).toBe('alerts');
    expect(serviceFor(order, '/api/v1/monitoring/resources')).toBe('monitoring');
    expect(serviceFor(order, '/api/v1/users')).toBe('users');
  }
});

test('a prefix ends at a slash', () => {
  expect(serviceFor(routes, '/api/v1/users-of-another-service')).toBeUndefined();
  expect(serviceFor(routes, '/api/v1/nothing')).toBeUndefined();
});

test('a path that leads elsewhere once it is normalised is not plain', () => {
  const bad = [
    '/api/v1/users/../../../internal/users/reset',
    '/api/v1/users/%2e%2e/%2E%2e/%2e%2E/internal/users/reset',
    '/api/v1/users/.%2e/x',
    '/api/v1/users\\..\\..\\..\\internal',
    '/api/v1/users/./x',
    '/api/v1/users#/x',
    '//elsewhere/api/v1/users',
    '/api/v1/users\u0000',
    '',
  ];
  for (const path of bad) expect([path, isPlain(path)]).toEqual([path, false]);
  for (const path of [
    '/',
    '/api/v1/users/1',
    '/api/v1/x/a%2Fb%20c',
    '/api/v1/x/..a',
    '/api/v1/monitoring/metrics/a:b@c',
  ])
    expect([path, isPlain(path)]).toEqual([path, true]);
});

test('no plain path below a prefix ever leaves it', () => {
  const piece = fc.oneof(
    fc.constantFrom('..', '.', '%2e', '%2e%2e', '%2E.', '\\', '/', '//', '%5c', '%2f', '\t', ';', '?', '#', 'internal'),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = `/api/v1/users/${pieces.join('/')}`;
      fc.pre(isPlain(path));
      expect(new URL(path, 'http://localhost').pathname.startsWith('/api/v1/users/')).toBe(true);
    }),
  );
});
