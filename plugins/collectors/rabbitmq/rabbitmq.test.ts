import { expect, test } from 'vitest';
import { runCollector } from '../../../test/kit/run-collector.ts';
import { onServer, ownName } from '../../../test/services/index.ts';
import { rabbitmq as server } from '../../../test/services/rabbitmq.ts';
import { rabbitmq } from './index.ts';

await onServer(server, ({ url, user, password }) => {
  const headers = { 'authorization': `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`, 'content-type': 'application/json' }; // prettier-ignore
  const call = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };

  test('a real RabbitMQ tells its cluster, nodes and queues; a wrong password is up 0', async () => {
    const queue = ownName('queue');
    await call('PUT', `/api/queues/%2F/${queue}`, { durable: false, auto_delete: false });
    await call('POST', '/api/exchanges/%2F/amq.default/publish', { properties: {}, routing_key: queue, payload: 'x', payload_encoding: 'string' }); // prettier-ignore
    const targets = [
      { name: 'main', url, user, password, queues: 500 },
      { name: 'wrong', url, user, password: 'not-this' },
    ];
    const messages = `rabbitmq.queue.messages outrider.target=main rabbitmq.vhost.name=/ rabbitmq.queue.name=${queue} state=ready`;
    // The server gathers its statistics each five seconds, and this queue's is among them then.
    await expect
      .poll(async () => (await runCollector(rabbitmq, targets))[1]?.[messages], { timeout: 25_000, interval: 500 })
      .toBe(1);
    const [values = {}] = await runCollector(rabbitmq, targets);
    const of = (name: string) =>
      Object.entries(values).find(([key]) => key.startsWith(`${name} outrider.target=main`))?.[1];
    expect(of('rabbitmq.node.mem_used')).toBeGreaterThan(1_000_000);
    expect(of('rabbitmq.node.running')).toBe(1);
    expect(values['rabbitmq.object.count outrider.target=main kind=queues']).toBeGreaterThanOrEqual(1);
    expect(values['outrider.target.up outrider.collector=rabbitmq outrider.target=wrong']).toBe(0);
    await fetch(`${url}/api/queues/%2F/${queue}`, { method: 'DELETE', headers });
  }, 60_000);
});
