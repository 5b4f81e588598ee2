import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger, systemClock, type Clock, type Logger } from '#sdk';
import { architectureOf, hashedId, readBasics } from './basics.ts';
import { parseOsRelease, readDmi, told } from './gather.ts';
import { parseInventory, readInventory } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'outrider-inventory-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, text: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, text);
  return path;
}

async function read(entry: string, more: { clock?: Clock; signal?: AbortSignal } = {}) {
  const warnings: unknown[] = [];
  const log: Logger = { ...silentLogger, warn: (_message, facts) => void warnings.push(facts?.['reason']) };
  const found = await readInventory({ entry, log, clock: systemClock, signal: new AbortController().signal, ...more });
  return { found, warnings };
}

test('the program as built tells what this machine is', { timeout: 60_000 }, async () => {
  const outfile = join(folder, 'inventory.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'main.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
  });
  const { found, warnings } = await read(outfile);
  expect(warnings).toEqual([]);
  expect(found['host.name']).toBe(hostname());
  for (const name of [
    'host.arch',
    'os.type',
    'os.name',
    'os.description',
    'host.cpu.logical.count',
    'host.memory.size',
  ]) {
    expect(found[name]).toMatch(/./);
  }
});

test('what the program tells is added to the basics', async () => {
  const { found } = await read(
    program('good', `console.log('{"cloud.provider":"aws","host.name":"other","os.description":"Debian"}')`),
  );
  expect(found).toEqual({ ...readBasics(), 'cloud.provider': 'aws', 'os.description': 'Debian' });
});

test.each([
  ['prints no JSON', `console.log('oops')`, /JSON/],
  ['prints something else', `console.log('{"a":{"b":1}}')`, /texts by name/],
  ['fails', `process.exit(3)`, /code 3/],
  ['prints without end', `process.stdout.write('x'.repeat(2_000_000))`, /too long/],
])('a program that %s leaves the basics and one warning', async (name, text, reason) => {
  const { found, warnings } = await read(program(name.replaceAll(' ', '-'), text));
  expect(found).toEqual(readBasics());
  expect(warnings).toEqual([expect.stringMatching(reason)]);
});

test('a program that hangs is ended after twenty seconds', async () => {
  const clock = createManualClock();
  const hanging = read(program('hangs', `setInterval(() => {}, 1000)`), { clock });
  await clock.advance(20_000);
  const { found, warnings } = await hanging;
  expect(found).toEqual(readBasics());
  expect(warnings).toEqual(['no answer within 20 s']);
});

test('an agent that stops does not wait, and warns of nothing', async () => {
  const stop = new AbortController();
  const hanging = read(program('stops', `setInterval(() => {}, 1000)`), { signal: stop.signal });
  stop.abort();
  expect(await hanging).toEqual({ found: readBasics(), warnings: [] });
});

test('the basics name what OpenTelemetry names', () => {
  expect(readBasics()['host.memory.size']).toMatch(/^\d+$/);
  expect(['x64', 'arm64', 'ia32', 's390x'].map(architectureOf)).toEqual(['amd64', 'arm64', 'x86', 's390x']);
  expect(hashedId('abc\n')).toBe(hashedId('abc'));
  expect(hashedId('abc')).not.toContain('abc');
});

test('firmware that says nothing is left out', () => {
  mkdirSync(join(folder, 'dmi'));
  writeFileSync(join(folder, 'dmi/sys_vendor'), 'QEMU\n');
  expect(readDmi(join(folder, 'dmi'))).toEqual({ sys_vendor: 'QEMU' });
  expect(told({ a: 'Default string', b: '', c: undefined, d: 'To Be Filled By O.E.M.', e: 4, f: 'Dell' })).toEqual({
    e: '4',
    f: 'Dell',
  });
});

test('an answer of texts by name is read', () => {
  expect(parseInventory('{"a":"b"}')).toEqual({ a: 'b' });
  expect(() => parseInventory('[1]')).toThrow('texts by name');
});

test('quotes of /etc/os-release are taken off, and lines of another form passed over', () => {
  const text = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME=Debian\nnot a line\nVERSION_ID=\'12\'\n';
  expect(parseOsRelease(text)).toEqual({
    'os.name': 'Debian',
    'os.version': '12',
    'os.description': 'Debian GNU/Linux 12 (bookworm)',
  });
});
