import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { defineChannel, type ChannelDefinition } from '#sdk';
import { checkedSettings, shownSettings, withoutSecrets } from './channel-settings.ts';
import type { ChannelSettings } from './tables.ts';

const KIND = defineChannel({
  name: 'pager',
  summary: 'Rings.',
  config: Type.Object(
    {
      host: Type.String({ pattern: '^[a-z.]+$', description: 'Name of the server.' }),
      port: Type.Integer({ default: 587, minimum: 1, maximum: 65535 }),
      password: Type.String({ default: '', secret: true }),
      to: Type.Array(Type.String(), { default: [] }),
    },
    { additionalProperties: false },
  ),
  secrets: ['password'],
  destination: ['host', 'port'],
  create: () => ({ send: () => Promise.resolve() }),
}) as unknown as ChannelDefinition;
const SAVED: ChannelSettings = { host: 'a.example', port: 587, password: 'secret', to: [] };

const faultsOf = (given: ChannelSettings, old?: ChannelSettings): unknown => {
  try {
    checkedSettings(KIND, given, old);
    return [];
  } catch (error) {
    return (error as { facts?: { faults?: unknown } }).facts?.faults;
  }
};

test('defaults are filled in, and a saved secret is shown as stars, an empty one as empty', () => {
  expect(checkedSettings(KIND, { host: 'a.example' })).toEqual({ ...SAVED, password: '' });
  expect(shownSettings(KIND, SAVED)).toEqual({ ...SAVED, password: '***' });
  expect(shownSettings(KIND, { ...SAVED, password: '' })).toEqual({ ...SAVED, password: '' });
});

test('a secret that is left out, or sent back as stars, stays; an empty one is cleared', () => {
  expect(checkedSettings(KIND, { host: 'a.example' }, SAVED)).toEqual(SAVED);
  expect(checkedSettings(KIND, shownSettings(KIND, SAVED), SAVED)).toEqual(SAVED);
  expect(checkedSettings(KIND, { host: 'a.example', password: '' }, SAVED)).toEqual({ ...SAVED, password: '' });
  expect(checkedSettings(KIND, { host: 'a.example', password: 'new' }, SAVED)).toMatchObject({ password: 'new' });
});

test('a saved secret does not follow to another place', () => {
  expect(faultsOf({ host: 'evil.example' }, SAVED)).toEqual([
    'password: must be given again, because host changed and it would go elsewhere',
  ]);
  expect(faultsOf({ host: 'a.example', port: 25, password: '***' }, SAVED)).toHaveLength(1);
  expect(faultsOf({ host: 'a.example', port: 587, to: ['x'] }, SAVED)).toEqual([]);
  expect(faultsOf({ host: 'b.example', password: 'again' }, SAVED)).toEqual([]);
  expect(faultsOf({ host: 'b.example' }, { ...SAVED, password: '' })).toEqual([]);
});

test('faults name the field and say what it must be', () => {
  expect(faultsOf({})).toEqual([expect.stringContaining('host')]);
  expect(faultsOf({ host: 'A!' })).toEqual(['host: does not have the right form. Name of the server.']);
  expect(faultsOf({ host: 'a.example', port: 0 })).toEqual(['port: must be from 1 to 65535, and is 0']);
  expect(faultsOf({ host: 'a.example', colour: 'red' })).toEqual([expect.stringContaining('"colour"')]);
  expect(faultsOf({ host: 'a.example', password: '***' })).toEqual([expect.stringContaining('password')]);
  for (const text of ['\0', '\ud800', 'x\udc00'])
    expect(faultsOf({ host: 'a.example', to: [text] })).toEqual(['to: holds characters that are no text']);
});

test('words of others are cleaned of secrets', () => {
  expect(withoutSecrets(KIND, SAVED, 'wrong secret: "secret"')).toBe('wrong ***: "***"');
  expect(withoutSecrets(KIND, { ...SAVED, password: '' }, 'as it is')).toBe('as it is');
});
