import { expect, test } from 'vitest';
import { checkPassword, fitsPassword, generatePassword, hashPassword } from './passwords.ts';

const weak = (password: string, names: string[] = []): boolean => {
  try {
    checkPassword(password, names);
    return false;
  } catch (error) {
    return (error as { code: string }).code === 'users.weak-password';
  }
};

test('short, monotonous and self-named passwords are refused', () => {
  expect(weak('elevenchars')).toBe(true);
  expect(weak('aaaaaaaaaaaaaaaa')).toBe(true);
  expect(weak('Ada.Lovelace1', ['ada.lovelace', 'ada'])).toBe(true);
  expect(weak('ada@example.org', ['ada', 'ada@example.org'])).toBe(true);
  expect(weak('🐎🔋📎🐎🔋📎')).toBe(true);
});

test('long ones of any kind are accepted', () => {
  expect(weak('twelve chars')).toBe(false);
  expect(weak('ada.lovelace likes engines', ['ada.lovelace'])).toBe(false);
  expect(weak(generatePassword(), ['admin'])).toBe(false);
});

test('a hash is argon2id of the advised cost and fits its password alone', async () => {
  const stored = await hashPassword('correct horse battery');
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await fitsPassword(stored, 'correct horse battery')).toBe(true);
  expect(await fitsPassword(stored, 'correct horse batterx')).toBe(false);
  expect(await fitsPassword(undefined, 'correct horse battery')).toBe(false);
});

test('the same characters from another keyboard fit', async () => {
  expect(await fitsPassword(await hashPassword('gr\u00fc\u00dfe aus dem hub'), 'gru\u0308\u00dfe aus dem hub')).toBe(
    true,
  );
});
