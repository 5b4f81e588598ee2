import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKOUT } from './layers.ts';

interface Unit {
  [section: string]: { [key: string]: string };
}

/** Reads a unit; a line that is neither a section, a setting nor a comment is a fault. */
function readUnit(text: string): Unit {
  const unit: Unit = {};
  let section = '';
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const head = /^\[(\w+)\]$/.exec(line)?.[1];
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (head !== undefined) unit[(section = head)] = {};
    else if (key !== undefined && section !== '') (unit[section] ??= {})[key] = value ?? '';
    else throw new Error(`not a line of a unit: ${line}`);
  }
  return unit;
}

test.each([
  ['agent', 'installers/systemd/outrider-agent.service', 'agent/program.ts'],
  ['hub', 'deploy/systemd/outrider-hub.service', 'hub/main.ts'],
])('the unit of the %s parses, and its program knows the command and flags that it gives', (program, path, at) => {
  const unit = readUnit(readFileSync(join(CHECKOUT, path), 'utf8'));
  expect(Object.keys(unit)).toEqual(['Unit', 'Service', 'Install']);
  const [binary, command = '', ...args] = (unit['Service']?.['ExecStart'] ?? '').split(' ');
  expect(binary).toBe(`/usr/bin/outrider-${program}`);
  const source = readFileSync(join(CHECKOUT, at), 'utf8');
  expect(source).toContain(`.command('${command}'`);
  for (const flag of args.filter((arg) => arg.startsWith('--')))
    expect(source).toMatch(new RegExp(`['\`]${flag}[ '\`]`));
  // V8 writes the code that it runs.
  expect(unit['Service']?.['MemoryDenyWriteExecute']).toBeUndefined();
  expect(unit['Service']?.['NoNewPrivileges']).toBe('yes');
});

test('a line that belongs to no unit is refused', () => {
  expect(() => readUnit('[Unit]\nnonsense\n')).toThrow('nonsense');
});
