import { expect, test } from 'vitest';
import { browserName } from './browser.ts';

test('browsers are named as people name them', () => {
  const chrome =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';
  expect(browserName(chrome)).toBe('Chrome 141 on Linux');
  expect(browserName(`${chrome} Edg/141.0.0.0`)).toBe('Edge 141 on Linux');
  expect(browserName('Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe(
    'Firefox 140 on macOS',
  );
  expect(
    browserName(
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1',
    ),
  ).toBe('Safari 18 on iOS');
});

test('what is no browser keeps its name, bounded', () => {
  expect(browserName('curl/8.5.0')).toBe('curl/8.5.0');
  expect(browserName('')).toBe('unknown');
  expect(browserName('x'.repeat(1000))).toHaveLength(80);
});
