import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { Problem, silentLogger, systemClock } from '#sdk';
import { busContract } from '../../../ports/bus.contract.ts';
import { localBus } from './index.ts';

const given = {
  ...{ config: {}, log: silentLogger, clock: systemClock, metrics: new Registry(), dataFolder: '' },
  fail: () => undefined,
};

busContract('local', () => Promise.resolve(localBus.create(given)));

test('what several subscribers refuse for good is not tried again, unless one may still take it', async () => {
  const { port } = localBus.create(given);
  const subject = { name: 'test.subject' } as Parameters<typeof port.publish>[0];
  const refusal = (retryable: boolean): Problem =>
    new Problem('test.refused', { status: 422, title: 'No', retryable }, 'It does not fit.');
  const fails = (name: string, fault: Error) => port.subscribe(subject, name, () => Promise.reject(fault));
  const told = () => port.publish(subject, 'org', undefined as never).then(undefined, (error: unknown) => error);
  const ends = [fails('one', refusal(false)), fails('two', refusal(false))];
  expect(await told()).toMatchObject({ code: 'test.refused', retryable: false });
  ends.push(fails('three', new Error('the disk is full')));
  expect(await told()).toMatchObject({ message: 'the disk is full' });
  ends.at(-1)?.();
  fails('four', refusal(true));
  expect(await told()).toMatchObject({ code: 'test.refused', retryable: true });
});
