import { createManualClock } from '#kit/manual-clock.ts';
import { expect, test } from 'vitest';
import type { Principal } from './principal.ts';
import { createServiceTokens } from './service-token.ts';

const OLD = 'the secret before, long enough for a key';
const NEW = 'the secret from now on, long enough too';
const ID = '11111111-1111-4111-8111-111111111111';
const PERSON: Principal = { org: ID, user: ID, name: 'x', role: 'viewer', via: 'key' };
const HOUR = 3_600_000;

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'taken',
    ({ code }: { code: string }) => code,
  );

test('a token carries org, user and role, and is good for a minute', async () => {
  const clock = createManualClock();
  const tokens = createServiceTokens({ secrets: [NEW], clock });
  const token = await tokens.sign('logs', PERSON);
  expect(await tokens.verify('logs', token)).toEqual(PERSON);
  await clock.advance(2 * 60_000);
  expect(await refusal(tokens.verify('logs', token))).toBe('service-token.refused');
  expect(await tokens.verify('logs', await tokens.sign('logs', PERSON))).toEqual(PERSON);
});

test('keys change by themselves; a caller whose clock is a little ahead or behind is understood', async () => {
  const [here, there] = [createManualClock(), createManualClock()];
  await here.advance(HOUR - (here.now() % HOUR) + 5_000);
  await there.advance(here.now() - there.now() - 10_000);
  const [a, b] = [here, there].map((clock) => createServiceTokens({ secrets: [NEW], clock }));
  expect(await b?.verify('x', (await a?.sign('x', undefined)) ?? '')).toBeUndefined();
  expect(await a?.verify('x', (await b?.sign('x', undefined)) ?? '')).toBeUndefined();
  const before = await a?.sign('x', PERSON);
  await here.advance(HOUR);
  const after = await a?.sign('x', PERSON);
  expect(after?.split('.')[2]).not.toBe(before?.split('.')[2]);
});

test('a secret is replaced while both are trusted, the new one signs', async () => {
  const clock = createManualClock();
  const before = createServiceTokens({ secrets: [OLD], clock });
  const both = createServiceTokens({ secrets: [NEW, OLD], clock });
  const after = createServiceTokens({ secrets: [NEW], clock });
  expect(await both.verify('x', await before.sign('x', PERSON))).toEqual(PERSON);
  expect(await after.verify('x', await both.sign('x', PERSON))).toEqual(PERSON);
  expect(await refusal(after.verify('x', await before.sign('x', PERSON)))).toBe('service-token.refused');
});

test('without a secret nobody is believed and nobody is asked', async () => {
  const clock = createManualClock();
  const none = createServiceTokens({ secrets: [], clock });
  const some = createServiceTokens({ secrets: [NEW], clock });
  expect(await refusal(none.sign('x', undefined))).toBe('service-token.refused');
  expect(await refusal(none.verify('x', await some.sign('x', undefined)))).toBe('service-token.refused');
});
