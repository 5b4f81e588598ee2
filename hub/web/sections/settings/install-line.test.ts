import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { writeJoinToken } from '#proto/enrolment.ts';
import { installLine, readInstaller } from './install-line.ts';

const SCRIPT = "#!/bin/sh\nversion='1.2.3'\n# ümlaut\n";
const token = writeJoinToken({
  v: 1,
  url: 'https://hub.example.com:8080',
  link: 'hub.example.com:4320',
  ca: 'a'.repeat(64),
  id: '4e03ba87-0462-416f-b69c-dfd7d5726426',
  secret: 's'.repeat(43),
});

test('a script is known by its version and its digest; its source is no installer', async () => {
  const sha256 = createHash('sha256').update(SCRIPT).digest('hex');
  expect(await readInstaller(SCRIPT)).toEqual({ version: '1.2.3', sha256 });
  expect(await readInstaller("#!/bin/sh\nversion=''\n")).toBeUndefined();
});

test('the line is one that a shell can read, from the address at which agents reach the hub', () => {
  const line = installLine({ version: '1.2.3', sha256: 'b'.repeat(64) }, token, 'https://page.example.com');
  expect(line).toContain('https://hub.example.com:8080/downloads/install.sh');
  execFileSync('sh', ['-n', '-c', line]);
});

test('a token that names no address that fits into a line is used with the address of the page', () => {
  for (const url of ['https://x/$(reboot)', 'ftp://x', 7]) {
    const odd = `orj_${Buffer.from(JSON.stringify({ url })).toString('base64url')}`;
    const line = installLine({ version: '1', sha256: 'b'.repeat(64) }, odd, 'https://page.example.com');
    expect(line).toContain('curl -fsSk https://page.example.com/downloads/');
  }
});
