import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { checkSettings, silentLogger, systemClock, type Logger } from '#sdk';
import { createAggregate } from './aggregate.ts';
import { isLoopback, statsd } from './index.ts';
import { parsePacket } from './packet.ts';

type Values = Record<string, number>;

const collectInto =
  (values: Values) => (metric: string | { name: string; kind: string }, value: number, of?: object) => {
    const name = typeof metric === 'string' ? metric : `${metric.kind} ${metric.name}`;
    const shown = Object.values(of ?? {}).join(' ');
    if (Number.isFinite(value)) values[shown === '' ? name : `${name} ${shown}`] = value;
  };

function runsOf(packets: readonly string[], limits = { mostSeries: 100, expireMs: 1000 }): Values[] {
  const aggregate = createAggregate(limits);
  return packets.map((packet, run) => {
    for (const sample of parsePacket(packet).samples) aggregate.add(sample, run * 100);
    const values: Values = {};
    aggregate.emit(collectInto(values), run * 100);
    return values;
  });
}

test('counters grow, gauges hold, sets and spreads begin anew with each run', () => {
  const packet = 'hits:1|c|@0.1\nhits:5|c\nload:3|g\nload:+2|g\nload:-1|g\nwho:a|s\nwho:a|s\nwho:b|s\ntime:10:20|ms';
  const [first, second, third] = runsOf([packet, 'hits:1|c\ntime:40|ms', '']);
  expect(first).toMatchObject({ 'counter hits': 15, 'gauge load': 4, 'gauge who': 2, 'counter time.count': 2 });
  expect(first).toMatchObject({ 'counter time.sum': 30, 'gauge time.min': 10, 'gauge time.max': 20 });
  expect(second).toMatchObject({ 'counter hits': 16, 'gauge load': 4, 'gauge who': 0, 'gauge time.p50': 40 });
  expect(third).toEqual({
    'counter hits': 16,
    'gauge load': 4,
    'gauge who': 0,
    'counter time.count': 3,
    'counter time.sum': 70,
  });
});

test('series are bounded, and those that nobody sends are forgotten', () => {
  const limits = { mostSeries: 8, expireMs: 250 };
  const names = (values: Values | undefined): string[] => Object.keys(values ?? {}).map((key) => key.slice(-1));
  const runs = runsOf(['a:1|c\nb:1|ms\nc:1|c', 'a:1|c', 'a:1|c', 'a:1|c', 'd:1|c'], limits);
  expect(names(runs[0])).not.toContain('c');
  expect(names(runs[4])).toEqual(['a', 'd']);
});

test('one name keeps one type', () => {
  const aggregate = createAggregate({ mostSeries: 10, expireMs: 1000 });
  const refusals = parsePacket('x:1|c\nx:1|g\nx:1|g|#a:b').samples.map((sample) => aggregate.add(sample, 0));
  expect(refusals).toEqual([undefined, 'type_conflict', undefined]);
});

const create = (settings: object, log: Logger = silentLogger) => {
  const config = checkSettings(statsd.config, settings, []);
  return statsd.create({ config, root: '/', clock: systemClock, log, redact: (text) => text });
};

const never = new AbortController().signal;

test('takes packets from a real socket until it is stopped', async () => {
  let port = 0;
  const log = {
    ...silentLogger,
    info: (_message: string, facts?: object) => void ({ port } = facts as { port: number }),
  };
  const collector = create({ port: 0 }, log);
  await collector.collect(() => {}, never);
  const sender = createSocket('udp4');
  let values: Values = {};
  sender.send('jobs:2|c|#queue:a\nnonsense', port, '127.0.0.1');
  while (values['outrider.statsd.samples taken'] !== 1) {
    values = {};
    await collector.collect(collectInto(values), never);
    await systemClock.sleep(10);
  }
  expect(values).toMatchObject({ 'counter jobs a': 2, 'outrider.statsd.samples malformed': 1 });
  collector.stop?.();
  collector.stop?.();
  sender.close();
  const other = createSocket('udp4');
  await new Promise<void>((resolve) => other.bind(port, '127.0.0.1', resolve)); // The port is free again.
  await expect(create({ port }).collect(() => {}, never)).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
  other.close();
});

test('refuses an address that other machines reach unless that is allowed', async () => {
  const refused = create({ listen: '0.0.0.0', port: 0 });
  await expect(refused.collect(() => {}, never)).rejects.toThrow('allowRemote');
  expect(['127.0.0.1', '127.8.0.9', '::1'].map(isLoopback)).toEqual([true, true, true]);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.com'].map(isLoopback)).toEqual([false, false, false, false]);
});

test('a run that is stopped while it binds leaves no socket open', async () => {
  const collector = create({ port: 0 });
  const running = collector.collect(() => {}, never);
  collector.stop?.();
  await running;
});
