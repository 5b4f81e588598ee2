import { expect, test } from 'vitest';
import { createRedactor } from './index.ts';
import { scan } from './scan.ts';

const LENGTH = 262_144;
/** Texts that each pattern would like to begin with, again and again. */
const REPEATED = [
  'a', '0', '1-', '4 ', ' ', '-', '"', '\\', '\\"', ':', '=', '@', 'a@', 'a.', 'a@a.', '1.', 'f:', '::',
  '-----BEGIN PRIVATE KEY-----', '-----BEGIN A', '-----END ', 'eyJ', '-eyJ', 'eyJaaaaaaaa.', 'bearer ', 'bearer a', 'authorization: ', 'authorization: basic ', 'authorization: digest',
  'a://', 'a://b:', 'a://b:c', '://', 'http://a:b/', 'password', 'password=', 'password="', 'password: \\"', "password '", '--password ', '--', '-a-', 'secret_access_key_base', 'token>', 'pass=', 'pass": ', '?sig=', 'sig=a',
  'AKIA', 'ghp_', 'xoxb-', 'sk-', 'sk-ant-', 'SG.a.', 'npm_', 'hooks.slack.com/services/', '12345678:AA', 'identified by ', 'glpat-a', 'key=',
]; // prettier-ignore

test.each(REPEATED)('256 kB of %j take no more than linear time', (text) => {
  const all = createRedactor({ secrets: true, email: true, ip: true, patterns: [] });
  const line = text.repeat(LENGTH / text.length);
  // Quadratic time would be minutes: the test would not end.
  for (const hostile of [line, `${line}!`, `${line}\n${line}`]) expect(typeof all.redact(hostile)).toBe('string');
  const bytes = Buffer.from(line);
  for (let at = scan(bytes, 0), n = 0; at < bytes.length && n < 1000; at = scan(bytes, at + 1)) n++;
});
