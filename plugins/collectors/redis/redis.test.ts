import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger, type Logger } from '#sdk';
import { onOwnServer } from '../../../test/services/index.ts';
import { runCollector } from '../../../test/kit/run-collector.ts';
import { redis as server } from '../../../test/services/redis.ts';
import { connectRedis } from './connection.ts';
import { redis } from './index.ts';

const up = (values: Record<string, number> | undefined, name: string) =>
  values?.[`outrider.target.up outrider.collector=redis outrider.target=${name}`];

await onOwnServer(server, (start) => {
  test('a real Redis is asked as a user of its access control list, by port and by Unix socket, and a wrong password is told once and never printed', async () => {
    const args = ['--user', 'watcher', 'on', '>hidden', '+info', '--unixsocket', 'redis.sock'];
    const { address, instance } = await start({ args });
    const { hostname: host, port } = new URL(address.url);
    const watcher = { user: 'watcher', password: 'hidden', commands: true };
    const logged: string[] = [];
    const log: Logger = { ...silentLogger, child: () => ({ ...silentLogger, warn: (message, facts) => logged.push(`${message} ${JSON.stringify(facts)}`) }) }; // prettier-ignore
    const targets = [
      { name: 'port', host, port, ...watcher },
      { name: 'socket', socket: join(instance.folder, 'redis.sock'), ...watcher },
      { name: 'wrong', host, port, user: 'watcher', password: 'not-this' },
    ];
    const write = async (): Promise<void> => {
      const admin = connectRedis({ name: 'admin', host, port: Number(port), socket: '', user: '', password: '', encrypted: false, interval: 0, timeout: 4, labels: {}, tls: { ca: '', certificate: '', key: '', serverName: '', verify: true } }); // prettier-ignore
      await admin.ask('SET a 1', new AbortController().signal);
      await admin.ask('GET a', new AbortController().signal);
      admin.close();
    };
    const [first, second] = await runCollector(redis, targets, write, { log });
    expect([up(first, 'port'), up(first, 'socket'), up(first, 'wrong')]).toEqual([1, 1, 0]);
    for (const name of ['port', 'socket']) {
      expect(second?.[`redis.db.keys outrider.target=${name} db=0`]).toBe(1);
      expect(second?.[`redis.cmd.calls outrider.target=${name} cmd=get`]).toBe(1);
      expect(second?.[`redis.memory.used outrider.target=${name}`]).toBeGreaterThan(100_000);
      expect(second?.[`redis.role outrider.target=${name} role=primary`]).toBe(1);
    }
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('WRONGPASS');
    expect(logged.join()).not.toContain('not-this');
  });
});
