import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What stands before several processes that do the same. */
export interface Balancer {
  port: number;
  stop(): Promise<void>;
}

/** Hands every connection to the next port of loopback that takes it; a connection lives as long as both of its ends. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const open = new Set<Socket>();
  let turn = 0;
  const hand = (client: Socket, left: number): void => {
    if (left === 0) return void client.destroy();
    const server = connect({ host: '127.0.0.1', port: ports[(turn += 1) % ports.length] ?? 0 });
    const next = (): void => hand(client, left - 1);
    server.once('error', next);
    server.once('connect', () => {
      server.off('error', next);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    });
  };
  const listener = createServer((client) => {
    open.add(client);
    client.on('error', () => undefined);
    client.on('close', () => open.delete(client));
    client.setNoDelay(true);
    hand(client, ports.length);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const client of open) client.destroy();
      }),
  };
}
