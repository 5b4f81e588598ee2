import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { startFaultProxy } from '#kit/fault-proxy.ts';
import { makeAdapter } from '#kit/stores.ts';
import { Lane } from '#proto/agent/v1/index.ts';
import { SUBJECTS, type BatchReceived } from '#proto/subjects.ts';
import { checkSettings, Problem, silentLogger, type Component, type Logger } from '#sdk';
import { describe, expect, test } from 'vitest';
import { onOwnServer, onServer, ownName } from '../../../../test/services/index.ts';
import { nats } from '../../../../test/services/nats.ts';
import { busContract } from '../../../ports/bus.contract.ts';
import type { Bus } from '../../../ports/bus.ts';
import { natsBus } from './index.ts';
import { laneOf } from './names.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const NEWS = SUBJECTS.passwordChanged;
type Adapter = Component & { port: Bus };

const batch = (agent: string, seq: bigint): BatchReceived => ({
  agent,
  resource: agent,
  epoch: 1n,
  lane: Lane.LIVE,
  seq,
  receivedMs: 0,
  skewMs: 0,
  tables: [],
  metrics: new Uint8Array(20_000).fill(Number(seq)),
  logs: new Uint8Array(),
});

test('a key is always in the same lane, and keys are spread evenly', () => {
  const lanes = Array.from({ length: 1_600 }, (_, n) => laneOf(`agent ${n}`, 16));
  expect(laneOf('agent 7', 16)).toBe(lanes[7]);
  for (let lane = 0; lane < 16; lane++) expect(lanes.filter((one) => one === lane).length).toBeGreaterThan(50);
});

test('servers must be named', () => {
  const settings = checkSettings(natsBus.config, {}, []);
  expect(natsBus.faults?.(settings)).toEqual([expect.stringContaining('nats://host:4222')]);
});

await onServer(nats, ({ url }) => {
  const at = (prefix: string, more: object = {}): Adapter =>
    makeAdapter(natsBus, '', { servers: [url], prefix, maxGb: 0.05, ...more });
  busContract('nats', () => Promise.resolve(at(ownName())));

  describe('several hubs', () => {
    test('share the messages of a name, each of which is handled once and in the order of its key', async () => {
      const prefix = ownName();
      const hubs = [at(prefix), at(prefix), at(prefix)];
      const got: Record<string, string[]> = {};
      for (const hub of hubs) {
        await hub.start?.();
        hub.port.subscribe(SUBJECTS.batchReceived, 'keeper', async (_org, { agent, seq }) => {
          await new Promise((resolve) => setTimeout(resolve, 3));
          (got[agent] ??= []).push(String(seq));
        });
      }
      const agents = ['a', 'b', 'c', 'd', 'e'];
      for (let seq = 1n; seq <= 20n; seq++)
        await Promise.all(
          agents.map(async (agent) =>
            hubs[Number(seq) % 3]?.port.publish(SUBJECTS.batchReceived, ORG, batch(agent, seq)),
          ),
        );
      await expect.poll(() => Object.values(got).flat().length, { timeout: 20_000 }).toBe(100);
      for (const agent of agents) expect(got[agent]).toEqual(Array.from({ length: 20 }, (_, n) => String(n + 1)));
      await Promise.all(hubs.map(async (hub) => hub.stop?.()));
    });

    test('a message whose hub is gone before it was done is handled by another', async () => {
      const prefix = ownName();
      const proxy = await startFaultProxy({ port: Number(new URL(url).port) });
      const first = makeAdapter(natsBus, '', { servers: [`nats://127.0.0.1:${proxy.port}`], prefix, maxGb: 0.05 });
      const second = at(prefix);
      await first.start?.();
      let begun = 0;
      first.port.subscribe(NEWS, 'keeper', () => {
        begun += 1;
        return new Promise(() => undefined);
      });
      await first.port.publish(NEWS, ORG, { user: 'x' });
      await expect.poll(() => begun).toBe(1);
      await second.start?.();
      const got: string[] = [];
      second.port.subscribe(NEWS, 'keeper', async (_org, { user }) => void got.push(user));
      await proxy.set('closed');
      await expect.poll(() => got, { timeout: 20_000 }).toEqual(['x']);
      await second.stop?.();
      await proxy.stop();
    });

    test('start at once on a new server', async () => {
      const prefix = ownName();
      const hubs = Array.from({ length: 5 }, () => at(prefix));
      await Promise.all(hubs.map(async (hub) => hub.start?.()));
      await hubs[0]?.port.check();
      await Promise.all(hubs.map(async (hub) => hub.stop?.()));
    });
  });

  test('what can never be handled is put aside after one try and holds up nothing; what may succeed later is tried again', async () => {
    const hub = at(ownName());
    await hub.start?.();
    const tries: string[] = [];
    hub.port.subscribe(NEWS, 'keeper', async (_org, { user }) => {
      tries.push(user);
      if (user === 'never') throw new Problem('x.never', { status: 400, title: 'Never.' }, 'It is rubbish.');
      if (user === 'later' && tries.filter((one) => one === 'later').length < 3)
        throw new Problem('x.later', { status: 503, title: 'Later.', retryable: true }, 'Away.');
    });
    for (const user of ['never', 'later', 'fine']) await hub.port.publish(NEWS, ORG, { user });
    await expect.poll(() => tries, { timeout: 10_000 }).toEqual(['never', 'later', 'later', 'later', 'fine']);
    const { upkeep } = hub.port;
    const [letters] = (await upkeep?.status())?.deadLetters ?? [];
    expect(letters).toEqual({ subscriber: 'keeper', subject: NEWS.name, count: 1, reason: 'It is rubbish.' });
    expect(await upkeep?.replayDead({ subscriber: 'another', limit: 10, dryRun: false })).toBe(0);
    expect(await upkeep?.replayDead({ limit: 10, dryRun: true })).toBe(1);
    expect(await upkeep?.replayDead({ subscriber: 'keeper', limit: 10, dryRun: false })).toBe(1);
    await expect.poll(() => tries.filter((one) => one === 'never').length, { timeout: 10_000 }).toBe(2);
    await expect.poll(async () => (await upkeep?.status())?.deadLetters[0]?.count, { timeout: 10_000 }).toBe(1);
    await hub.stop?.();
  });

  test('who listens hears large and small messages in their order, and a fault of his own hurts nobody', async () => {
    const hub = at(ownName());
    await hub.start?.();
    const got: bigint[] = [];
    hub.port.listen(SUBJECTS.batchReceived, () => {
      throw new Error('it cannot be read');
    });
    hub.port.listen(SUBJECTS.batchReceived, (_org, { seq }) => void got.push(seq));
    await hub.port.check();
    const seqs = Array.from({ length: 10 }, (_, n) => BigInt(n + 1));
    for (const seq of seqs) {
      const metrics = crypto.getRandomValues(new Uint8Array(seq % 2n === 0n ? 10 : 60_000));
      await hub.port.publish(SUBJECTS.batchReceived, ORG, { ...batch('a', seq), metrics });
    }
    await expect.poll(() => got).toEqual(seqs);
    await hub.stop?.();
  });

  test('a message that is published twice within a while is handled once', async () => {
    const hub = at(ownName());
    await hub.start?.();
    const got: string[] = [];
    hub.port.subscribe(SUBJECTS.batchReceived, 'keeper', async (_org, { seq }) => void got.push(String(seq)));
    for (const seq of [1n, 1n, 2n]) await hub.port.publish(SUBJECTS.batchReceived, ORG, batch('a', seq));
    await expect.poll(() => got).toEqual(['1', '2']);
    await hub.stop?.();
  });

  test('what was published since a time is handed out again, in its order', async () => {
    const hub = at(ownName());
    await hub.start?.();
    const got: string[] = [];
    hub.port.subscribe(SUBJECTS.batchReceived, 'keeper', async (_org, { seq }) => void got.push(String(seq)));
    const since = Date.now() - 1_000;
    for (const seq of [1n, 2n, 3n]) await hub.port.publish(SUBJECTS.batchReceived, ORG, batch('a', seq));
    await expect.poll(() => got).toEqual(['1', '2', '3']);
    await hub.port.replay(SUBJECTS.batchReceived, 'keeper', since);
    expect(got).toEqual(['1', '2', '3', '1', '2', '3']);
    await hub.stop?.();
  });

  test('a stream that is full refuses by name, and so does a server that has no room for one', async () => {
    const hub = at(ownName(), { maxGb: 0.0002 });
    await hub.start?.();
    const random = (seq: bigint): BatchReceived => ({
      ...batch('a', seq),
      metrics: crypto.getRandomValues(new Uint8Array(60_000)),
    });
    const publish = async (): Promise<string> => {
      for (let seq = 1n; seq < 10n; seq++) {
        const code = await hub.port.publish(SUBJECTS.batchReceived, ORG, random(seq)).then(
          () => '',
          ({ code: said }: Problem) => said,
        );
        if (code !== '') return code;
      }
      return 'never full';
    };
    expect(await publish()).toBe('bus.full');
    await hub.stop?.();
    const greedy = at(ownName(), { maxGb: 10_000_000 });
    const refusal = await greedy.start?.().catch((error: Problem) => error);
    expect(refusal).toMatchObject({ code: 'bus.unfit', message: expect.stringContaining('bus.maxGb') as string });
  });
});

await onOwnServer(nats, (start) => {
  test('a server that is killed keeps every message that it took, and everybody goes on by himself', async () => {
    const server = await start();
    const hub = makeAdapter(natsBus, '', { servers: [server.address.url], prefix: 'kept', maxGb: 0.05 });
    await hub.start?.();
    const got = new Set<string>();
    hub.port.subscribe(SUBJECTS.batchReceived, 'keeper', async (_org, { seq }) => void got.add(String(seq)));
    const taken: string[] = [];
    let seq = 0n;
    const publish = async (): Promise<void> => {
      seq += 1n;
      await hub.port.publish(SUBJECTS.batchReceived, ORG, batch(`agent ${seq % 7n}`, seq)).then(
        () => taken.push(String(seq)),
        () => undefined,
      );
    };
    for (let n = 0; n < 60; n++) await publish();
    await server.kill();
    expect(await hub.port.publish(NEWS, ORG, { user: 'x' }).catch(({ code }: Problem) => code)).toBe('bus.unavailable');
    await server.again();
    await expect
      .poll(
        () =>
          hub.port.check().then(
            () => 'up',
            ({ code }: Problem) => code,
          ),
        { timeout: 20_000 },
      )
      .toBe('up');
    for (let n = 0; n < 60; n++) await publish();
    await expect.poll(() => taken.filter((one) => !got.has(one)), { timeout: 20_000 }).toEqual([]);
    expect(taken.length).toBeGreaterThan(100);
    await hub.stop?.();
  }, 90_000);

  test('a server that lost its disk gets streams and consumers anew, which is told, and the bus goes on', async () => {
    const server = await start();
    const told: string[] = [];
    const log: Logger = { ...silentLogger, error: (message) => void told.push(message) };
    const settings = { servers: [server.address.url], prefix: 'diskless', maxGb: 0.05 };
    const hub = makeAdapter(natsBus, '', settings, log);
    await hub.start?.();
    const got: string[] = [];
    hub.port.subscribe(NEWS, 'keeper', async (_org, { user }) => void got.push(user));
    const publish = (user: string): Promise<string> =>
      hub.port.publish(NEWS, ORG, { user }).then(
        () => 'taken',
        ({ code }: Problem) => code,
      );
    expect(await publish('before')).toBe('taken');
    await expect.poll(() => got).toEqual(['before']);
    await server.kill();
    rmSync(join(server.instance.folder, 'jetstream'), { recursive: true });
    await server.again();
    await expect.poll(() => publish('after'), { timeout: 20_000 }).toBe('taken');
    await expect.poll(() => got, { timeout: 40_000 }).toContain('after');
    await hub.port.check();
    expect(told.filter((message) => message.includes('it was made anew'))).toHaveLength(1);

    const nats = await connect({ servers: [server.address.url] });
    const manager = await jetstreamManager(nats);
    for await (const { stream_name: stream, name } of manager.consumers.list('diskless'))
      await manager.consumers.delete(stream, name);
    expect(await publish('without consumers')).toBe('taken');
    await expect.poll(() => got, { timeout: 40_000 }).toContain('without consumers');
    await nats.close();
    await hub.stop?.();
  }, 120_000);

  test('while a server has no room for a stream that it lost the hub says that it is not ready, and goes on once there is', async () => {
    const server = await start();
    const conf = join(server.instance.folder, 'nats.conf');
    const before = readFileSync(conf, 'utf8');
    const hub = makeAdapter(natsBus, '', { servers: [server.address.url], prefix: 'roomless', maxGb: 0.05 });
    await hub.start?.();
    const got: string[] = [];
    hub.port.subscribe(NEWS, 'keeper', async (_org, { user }) => void got.push(user));
    const state = (): Promise<string> =>
      hub.port.check().then(
        () => 'ready',
        ({ code, message }: Problem) => `${code} ${message}`,
      );
    const comeBack = async (text: string): Promise<void> => {
      await server.kill();
      rmSync(join(server.instance.folder, 'jetstream'), { recursive: true, force: true });
      writeFileSync(conf, text);
      await server.again();
    };
    await comeBack(before.replace('jetstream {', 'jetstream { max_file_store: 1MB,'));
    await expect.poll(state, { timeout: 40_000 }).toMatch(/^jetstream\.stream-gone .*roomless.* [2-9] tries/);
    await comeBack(before);
    await expect.poll(state, { timeout: 40_000 }).toBe('ready');
    await expect
      .poll(
        () =>
          hub.port.publish(NEWS, ORG, { user: 'again' }).then(
            () => 'taken',
            () => 'not',
          ),
        { timeout: 40_000 },
      )
      .toBe('taken');
    await expect.poll(() => got, { timeout: 40_000 }).toContain('again');
    await hub.stop?.();
  }, 120_000);

  test('a server that is silent is away, in words, and the bus goes on when it speaks again', async () => {
    const server = await start();
    const proxy = await startFaultProxy({ port: Number(new URL(server.address.url).port) });
    const hub = makeAdapter(natsBus, '', {
      servers: [`nats://127.0.0.1:${proxy.port}`],
      prefix: 'silent',
      maxGb: 0.05,
    });
    await hub.start?.();
    const got: string[] = [];
    hub.port.subscribe(NEWS, 'keeper', async (_org, { user }) => void got.push(user));
    await hub.port.publish(NEWS, ORG, { user: 'before' });
    await proxy.set('silent');
    expect(await hub.port.publish(NEWS, ORG, { user: 'lost' }).catch(({ code }: Problem) => code)).toBe(
      'bus.unavailable',
    );
    await proxy.set('pass');
    await expect
      .poll(
        () =>
          hub.port.publish(NEWS, ORG, { user: 'after' }).then(
            () => 'taken',
            () => 'not',
          ),
        { timeout: 20_000 },
      )
      .toBe('taken');
    await expect.poll(() => got, { timeout: 20_000 }).toContain('after');
    await hub.stop?.();
    await proxy.stop();
  }, 90_000);

  test('wrong credentials and a server without JetStream are named, without the secret', async () => {
    const locked = await start({ args: ['--user', 'hub', '--pass', 'right-one'] }).catch(() => undefined);
    const failure = (servers: string[], more: object = {}): Promise<string> =>
      makeAdapter(natsBus, '', { servers, prefix: 'p', ...more })
        .start?.()
        .then(
          () => 'started',
          (error: Problem) => `${error.code} ${error.message}`,
        ) ?? Promise.resolve('');
    expect(await failure(['nats://127.0.0.1:1'])).toMatch(/^bus\.unavailable .*127\.0\.0\.1:1/);
    if (locked === undefined) return;
    const text = await failure([locked.address.url], { user: 'hub', password: 'wrong-one' });
    expect(text).toMatch(/^bus\.refused .*bus\.password/);
    expect(text).not.toContain('wrong-one');
  });
});
