import { expect, test } from 'vitest';
import { isKept, labelOf, missingOf, settingsOf, typedSettings } from './channel-form.ts';
import type { Channel, Kind } from './channel-queries.ts';

const kind = {
  name: 'mail', summary: '', spacingSeconds: 60, destination: ['host'],
  settings: {
    type: 'object', required: ['host', 'to'],
    properties: {
      host: { type: 'string', description: '' },
      port: { type: 'integer', description: '', default: 587 },
      verifyCertificate: { type: 'boolean', description: '', default: true },
      user: { type: 'string', description: '', default: '' },
      password: { type: 'string', description: '', default: '', secret: true },
      to: { type: 'array', description: '', items: { type: 'string' } },
    },
  },
} as Kind; // prettier-ignore
const saved = {
  settings: { host: 'mx', port: 25, verifyCertificate: false, user: 'u', password: '***', to: ['a@x', 'b@x'] },
} as unknown as Channel;

test('a new channel begins with the defaults of its kind', () => {
  expect(typedSettings(kind, undefined)).toEqual({
    host: '',
    port: '587',
    verifyCertificate: true,
    user: '',
    password: '',
    to: '',
  });
});

test('what is saved is shown, secrets are not, and saving keeps them', () => {
  const typed = typedSettings(kind, saved);
  expect(typed).toEqual({ host: 'mx', port: '25', verifyCertificate: false, user: 'u', password: '', to: 'a@x\nb@x' });
  expect(isKept(saved, 'password')).toBe(true);
  expect(settingsOf(kind, typed, saved, [])).toEqual({
    host: 'mx',
    port: 25,
    verifyCertificate: false,
    user: 'u',
    to: ['a@x', 'b@x'],
  });
  expect(settingsOf(kind, typed, saved, ['password'])).toMatchObject({ password: '' });
  expect(settingsOf(kind, { ...typed, password: ' new ' }, saved, [])).toMatchObject({ password: ' new ' });
});

test('what is no number is left to the hub to refuse, what is empty to its default', () => {
  expect(settingsOf(kind, { host: 'mx', port: 'x', to: 'a@x, b@x' }, undefined, [])).toEqual({
    host: 'mx', port: 'x', user: '', password: '', to: ['a@x', 'b@x'],
  }); // prettier-ignore
});

test('settings have names for people', () => {
  expect([labelOf('verifyCertificate'), labelOf('authorization'), labelOf('url')]).toEqual([
    'Check the certificate',
    'Authorization',
    'URL',
  ]);
});

test('what is needed is said before anything is sent', () => {
  expect(missingOf(kind, ' ', typedSettings(kind, undefined), undefined)).toEqual({
    name: 'Give it a name',
    host: 'This is needed',
    to: 'This is needed',
  });
  expect(missingOf(kind, 'mail', typedSettings(kind, saved), saved)).toEqual({});
});
