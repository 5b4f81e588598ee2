import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedactor, redact } from './index.ts';
import { scan } from './scan.ts';

/** Made up at run time, so that no scanner takes this file for a leak. */
const letters = (length: number): string => 'aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW0xY'.repeat(10).slice(0, length);
const capitals = (length: number): string => letters(length).toUpperCase();
const key = `-----BEGIN RSA PRIVATE KEY-----\n${letters(64)}\n${letters(30)}==\n-----END RSA PRIVATE KEY-----`;
const jwt = `eyJ${letters(20)}.eyJ${letters(30)}.${letters(43)}`;

/** A text with a secret, and what is left of it. */
const SECRETS: readonly [kind: string, text: string, shown: string][] = [
  ['private-key', key, '-----BEGIN RSA PRIVATE KEY-----***'],
  [
    'private-key',
    `{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\\n${letters(64)}\\n-----END PRIVATE KEY-----\\n"}`,
    '{"type":"service_account","private_key":"***"}',
  ],
  ['authorization', `Authorization: Basic ${letters(20)}==`, 'Authorization: Basic ***'],
  ['authorization', `"authorization":"Bearer ${letters(40)}"`, '"authorization":"Bearer ***"'],
  ['authorization', 'Authorization: Digest username="a", response="b"', 'Authorization: ***'],
  ['authorization', `sent bearer ${letters(30)} to it`, 'sent bearer *** to it'],
  ['url-password', 'mysql://root:hunter2@db/app', 'mysql://root:***@db/app'],
  ['url-password', 'redis://:p@ss@host:1', 'redis://:***@host:1'],
  ['jwt', `cookie ${jwt};`, 'cookie ***;'],
  ['cloud-key', `id AKIA${capitals(16)} used`, 'id *** used'],
  ['cloud-key', `AIza${letters(35)}`, '***'],
  ['cloud-key', `https://a.blob.core.windows.net/x?sv=1&sig=${letters(43)}%3D&se=2`, 'https://a.blob.core.windows.net/x?sv=1&sig=***&se=2'],
  ['named-secret', `DefaultEndpointsProtocol=https;AccountKey=${letters(86)}==;X=1`, 'DefaultEndpointsProtocol=https;AccountKey=***;X=1'],
  ['access-token', `push ghp_${letters(36)}`, 'push ***'],
  ['access-token', `github_pat_${letters(30)}`, '***'],
  ['access-token', `glpat-${letters(20)}`, '***'],
  ['access-token', `xoxb-${letters(24)}`, '***'],
  ['access-token', `https://hooks.slack.com/services/T${capitals(8)}/B${capitals(8)}/${letters(24)}`, 'https://hooks.slack.com/services/***'],
  ['access-token', `sk_live_${letters(24)}`, '***'],
  ['access-token', `npm_${letters(36)}`, '***'],
  ['access-token', `SG.${letters(22)}.${letters(43)}`, '***'],
  ['access-token', `sk-ant-${letters(40)}`, '***'],
  ['access-token', `ork_${letters(30)}`, '***'],
  ['access-token', `bot 123456789:AA${letters(33)}`, 'bot ***'],
  ['named-secret', 'backup --password hunter2 --quiet', 'backup --password *** --quiet'],
  ['named-secret', '{"api_key": "abc"}', '{"api_key": "***"}'],
  ['named-secret', '{"password":"a\\"b c","x":1}', '{"password":"***","x":1}'],
  ['named-secret', '{"log":"{\\"password\\":\\"a b\\",\\"x\\":1}"}', '{"log":"{\\"password\\":\\"***\\",\\"x\\":1}"}'],
  ['named-secret', "AWS_SECRET_ACCESS_KEY='a b' next", "AWS_SECRET_ACCESS_KEY='***' next"],
  ['named-secret', 'GET /?token=abc&x=1', 'GET /?token=***&x=1'],
  ['named-secret', '<password>abc</password>', '<password>***</password>'],
  ['named-secret', "CREATE USER a IDENTIFIED BY 'x y'", "CREATE USER a IDENTIFIED BY '***'"],
  ['named-secret', 'db pass=hunter2 ok', 'db pass=*** ok'],
  ['card', 'paid with 4111 1111 1111 1111 now', 'paid with *** now'],
  ['card', 'card=378282246310005', 'card=***'],
]; // prettier-ignore

/** What only looks like one. */
const HARMLESS = [
  'tail -f /var/log/syslog',
  'the password for user bob has expired',
  'token expired, tokens=15 secretName: none',
  '{"password":null,"token":"","secret":"***"}',
  'order 20260131120000 of 1769860800123 and 4111 1111 1111 1112',
  'https://example.org/a:b@c and http://user@host/',
  'Basic authentication is on, bearer authentication is off',
  'compass=north bypass: 3 passed',
  '2026-01-31T12:00:00.000Z INFO [worker-3] request 1 of customer 2 took 3 ms, status 200',
];

test.each(SECRETS)('%s: %s', (kind, text, shown) => {
  const kinds: string[] = [];
  const redactor = createRedactor({ secrets: true, email: false, ip: false, patterns: [] });
  expect(redactor.redact(text, (found) => kinds.push(found))).toBe(shown);
  expect(kinds).toContain(kind);
  expect(redact(shown)).toBe(shown);
});

test.each(HARMLESS)('nothing is replaced in: %s', (text) => expect(redact(text)).toBe(text));

test('the quick look over the bytes finds whatever the patterns find, wherever it stands', () => {
  const filler = fc.stringMatching(/^[ -~é\n]{0,200}$/);
  fc.assert(
    fc.property(filler, fc.constantFrom(...SECRETS), filler, (before, [, secret], after) => {
      const text = `${before} ${secret} ${after}`;
      const bytes = Buffer.from(text);
      expect(scan(bytes, 0)).toBeLessThan(bytes.length);
      const harmless = Buffer.from(before);
      if (redact(before) !== before) expect(scan(harmless, 0)).toBeLessThan(harmless.length);
    }),
    { numRuns: 1000 },
  );
});

test('addresses are replaced where that is asked for', () => {
  const redactor = createRedactor({ secrets: false, email: true, ip: true, patterns: [] });
  expect(redactor.redact('from a.b+c@example.org at 10.1.2.3:80, fe80::1 and 2001:db8:0:0:0:0:0:1, v1.2.3')).toBe(
    'from *** at ***:80, *** and ***, v1.2.3',
  );
  expect(redact('a@example.org 10.1.2.3')).toBe('a@example.org 10.1.2.3');
});

test('own patterns are replaced as a whole, under their own names', () => {
  const kinds: string[] = [];
  const patterns = [{ name: 'employee', pattern: '(emp)-\\d{6}', ignoreCase: true }];
  const redactor = createRedactor({ secrets: true, email: false, ip: false, patterns });
  expect(redactor.redact('EMP-123456 and emp-12', (kind) => kinds.push(kind))).toBe('*** and emp-12');
  expect(kinds).toEqual(['employee']);
});
