import { expect, test } from 'vitest';
import { redact } from './redact.ts';

test.each([
  ['mysql://root:hunter2@db/app', 'mysql://root:***@db/app'],
  ['backup --password hunter2 --quiet', 'backup --password *** --quiet'],
  ['{"api_key": "abc"}', '{"api_key": "***"}'],
  ['tail -f /var/log/syslog', 'tail -f /var/log/syslog'],
])('%s', (text, shown) => {
  expect(redact(text)).toBe(shown);
});
