import { expect, test } from 'vitest';
import { isForeign } from './origin.ts';

test('what the browser says of the site decides', () => {
  expect(isForeign({ 'sec-fetch-site': 'same-origin', origin: 'http://a', host: 'b' })).toBe(false);
  expect(isForeign({ 'sec-fetch-site': 'none' })).toBe(false);
  for (const site of ['cross-site', 'same-site', '']) expect(isForeign({ 'sec-fetch-site': site })).toBe(true);
});

test('an older browser is judged by its origin', () => {
  expect(isForeign({ origin: 'https://hub.example:8080', host: 'hub.example:8080' })).toBe(false);
  expect(isForeign({ origin: 'https://evil.example', host: 'hub.example:8080' })).toBe(true);
  expect(isForeign({ origin: 'null', host: 'hub.example' })).toBe(true);
});

test('a program that sends neither is no page of another site', () => {
  expect(isForeign({ host: 'hub.example' })).toBe(false);
});
