import type { Component } from '#sdk';
import { Lane } from '#proto/agent/v1/index.ts';
import { SUBJECTS, type BatchReceived, type PasswordChanged } from '#proto/subjects.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from './bus.ts';

const ORG = '11111111-1111-4111-8111-111111111111';

const BATCH: BatchReceived = {
  agent: ORG,
  resource: ORG,
  epoch: 2n ** 63n + 1n,
  lane: Lane.LIVE,
  seq: 7n,
  receivedMs: 1_700_000_000_000,
  skewMs: -3,
  tables: [{ id: 5n, series: [{ name: 'a', kind: 'gauge', attributes: { k: 'v' } }] }],
  metrics: Uint8Array.of(1, 2, 3),
  logs: Uint8Array.of(255),
};

/** What every bus must do; `make` gives a fresh one that is not started yet. */
export function busContract(name: string, make: () => Promise<Component & { port: Bus }>): void {
  describe(`bus ${name}`, () => {
    let adapter: Component & { port: Bus };
    beforeEach(async () => {
      adapter = await make();
      await adapter.start?.();
    });
    afterEach(async () => adapter.stop?.());

    const news = (user: string): PasswordChanged => ({ user });

    test('each subscriber name gets each message with its org', async () => {
      const got: string[] = [];
      adapter.port.subscribe(SUBJECTS.passwordChanged, 'a', async (org, { user }) => void got.push(`a ${org} ${user}`));
      adapter.port.subscribe(SUBJECTS.passwordChanged, 'b', async (org, { user }) => void got.push(`b ${org} ${user}`));
      await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('x'));
      await expect.poll(() => [...got].sort()).toEqual([`a ${ORG} x`, `b ${ORG} x`]);
    });

    test('handlers of one name share the messages', async () => {
      const got: string[] = [];
      adapter.port.subscribe(SUBJECTS.passwordChanged, 'a', async () => void got.push('first'));
      adapter.port.subscribe(SUBJECTS.passwordChanged, 'a', async () => void got.push('second'));
      await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('x'));
      await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('y'));
      await expect.poll(() => got.length).toBe(2);
    });

    test('who has ended the subscription hears nothing more', async () => {
      const got: string[] = [];
      const end = adapter.port.subscribe(SUBJECTS.passwordChanged, 'a', async (_org, { user }) => void got.push(user));
      end();
      await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('x'));
      expect(got).toEqual([]);
    });

    test('messages of other subjects are not heard', async () => {
      const got: string[] = [];
      adapter.port.subscribe(SUBJECTS.resourceDeleted, 'a', async (_org, { resource }) => void got.push(resource));
      await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('x'));
      expect(got).toEqual([]);
    });

    test('a handler that rejects hinders no other and is not forgotten', async () => {
      const got: string[] = [];
      let tries = 0;
      adapter.port.subscribe(SUBJECTS.passwordChanged, 'a', async () => {
        tries += 1;
        if (tries === 1) throw new Error('not now');
      });
      adapter.port.subscribe(SUBJECTS.passwordChanged, 'b', async (_org, { user }) => void got.push(user));
      const told = await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('x')).then(
        () => 'kept',
        (error: Error) => error.message,
      );
      await expect.poll(() => got).toEqual(['x']);
      // Either the publisher is told to try again, or the bus does.
      if (told === 'kept') await expect.poll(() => tries).toBe(2);
      else expect(told).toBe('not now');
    });

    test('one publisher is heard in its order, and waits for those who listen', async () => {
      const got: string[] = [];
      adapter.port.subscribe(SUBJECTS.passwordChanged, 'a', async (_org, { user }) => {
        await new Promise((resolve) => setImmediate(resolve));
        got.push(user);
      });
      const sent = Array.from({ length: 20 }, (_, index) => `user ${index}`);
      for (const user of sent) await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news(user));
      await expect.poll(() => got).toEqual(sent);
    });

    test('who listens hears every message as it passes, with its org, until the end', async () => {
      const got: string[] = [];
      const end = adapter.port.listen(SUBJECTS.passwordChanged, (org, { user }) => void got.push(`${org} ${user}`));
      adapter.port.listen(SUBJECTS.passwordChanged, (_org, { user }) => void got.push(`too ${user}`));
      await expect
        .poll(async () => {
          await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('x'));
          return got.includes(`${ORG} x`) && got.includes('too x');
        })
        .toBe(true);
      end();
      got.length = 0;
      await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('y'));
      await expect.poll(() => got).toContain('too y');
      expect(got).not.toContain(`${ORG} y`);
    });

    test('messages of one key are handled one after another, whatever each takes', async () => {
      const got: string[] = [];
      let busy = 0;
      adapter.port.subscribe(SUBJECTS.batchReceived, 'a', async (_org, { seq }) => {
        busy += 1;
        await new Promise((resolve) => setTimeout(resolve, seq % 2n === 0n ? 1 : 15));
        got.push(busy === 1 ? String(seq) : `${seq} beside another`);
        busy -= 1;
      });
      const seqs = Array.from({ length: 12 }, (_, n) => BigInt(n + 1));
      for (const seq of seqs) await adapter.port.publish(SUBJECTS.batchReceived, ORG, { ...BATCH, seq });
      await expect.poll(() => got).toEqual(seqs.map(String));
    });

    test('nobody needs to listen', async () => {
      await adapter.port.publish(SUBJECTS.passwordChanged, ORG, news('x'));
      await adapter.port.check();
    });

    test('a batch keeps its numbers and bytes', async () => {
      const got: BatchReceived[] = [];
      adapter.port.subscribe(SUBJECTS.batchReceived, 'a', async (_org, payload) => void got.push(payload));
      await adapter.port.publish(SUBJECTS.batchReceived, ORG, BATCH);
      await expect.poll(() => got[0]?.epoch).toBe(BATCH.epoch);
      expect([...(got[0]?.logs ?? [])]).toEqual([...BATCH.logs]);
    });
  });
}
