import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstToken, GRACE_MS, hashToken, judgeToken, readSessionCookie, successor } from './session-token.ts';

test('a token is current until it is replaced, then good for a moment, then a sign of theft', () => {
  const { token, stored } = firstToken(0);
  expect(judgeToken(stored, token, 1e9)).toBe('current');
  const next = successor(stored.secret, token);
  const rotated = { ...stored, tokenHash: hashToken(next), previousHash: hashToken(token), rotatedMs: 100 };
  expect(judgeToken(rotated, next, 100 + GRACE_MS * 9)).toBe('current');
  expect(judgeToken(rotated, token, 100 + GRACE_MS - 1)).toBe('grace');
  expect(judgeToken(rotated, token, 100 + GRACE_MS)).toBe('reused');
  expect(judgeToken(rotated, firstToken(0).token, 100)).toBe('reused');
});

test('however often a session is renewed, every tab computes the same successor and only the newest lasts', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 * GRACE_MS }), { maxLength: 20 }), (waits) => {
      const first = firstToken(0);
      let [stored, token, now] = [first.stored, first.token, 0];
      const old: string[] = [];
      for (const wait of waits) {
        now += wait;
        const next = successor(stored.secret, token);
        expect(successor(stored.secret, token)).toBe(next);
        old.push(token);
        stored = { ...stored, tokenHash: hashToken(next), previousHash: hashToken(token), rotatedMs: now };
        token = next;
      }
      expect(judgeToken(stored, token, now)).toBe('current');
      for (const older of old.slice(0, -1)) expect(judgeToken(stored, older, now)).toBe('reused');
    }),
  );
});

test('what is no session cookie is not read as one', () => {
  const id = '0f8fad5b-d9cb-469f-a165-70867728950e';
  const token = 'a'.repeat(43);
  expect(readSessionCookie(`${id}.${token}`)).toEqual({ session: id, token });
  for (const text of ['', id, `${'-'.repeat(36)}.${token}`, `${id}.${token}x`, `x${id}.${token}`, `${id}.${token}\n`])
    expect(readSessionCookie(text)).toBeUndefined();
});
