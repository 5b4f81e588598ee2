import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What stands between a program and a server. `pass`: everything gets through. `slow`: every part is late by `delayMs`. `silent`: connections are
 * taken and nothing gets through, in either direction, as when a cable is cut. `reset`: connections are broken off at once. `garbage`: the server
 * seems to talk rubbish. `closed`: nobody listens.
 */
export type Fault = 'pass' | 'slow' | 'silent' | 'reset' | 'garbage' | 'closed';

/** A proxy whose faults a test chooses while traffic flows. */
export interface FaultProxy {
  /** `127.0.0.1:port`, the same for as long as it lives. */
  host: string;
  port: number;
  /** Changes what happens from now on, to open connections too. Resolves once it is so. */
  set(fault: Fault, delayMs?: number): Promise<void>;
  /** Connections that were taken since the start. */
  taken(): number;
  stop(): Promise<void>;
}

const RUBBISH = Buffer.from('\x00\xff\x13rubbish\r\n\r\n\x7f');

/** Stands a proxy before a server of this machine. */
export async function startFaultProxy(target: { host?: string; port: number }): Promise<FaultProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let fault: Fault = 'pass';
  let delayMs = 0;
  let taken = 0;
  let listener: Server = createServer();

  /** Hands data on as the fault of the moment has it; what was said into silence is lost, and TCP is not told. */
  const pipe = (from: Socket, to: Socket, isAnswer: boolean): void => {
    from.on('data', (data: Buffer) => {
      if (fault === 'silent') return;
      if (fault === 'garbage' && isAnswer) return void to.write(RUBBISH);
      if (fault !== 'slow') return void to.write(data);
      setTimeout(() => (to.destroyed ? undefined : to.write(data)), delayMs);
    });
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };

  const take = (client: Socket): void => {
    taken += 1;
    if (fault === 'reset') return void client.resetAndDestroy();
    const server = connect({ host: target.host ?? '127.0.0.1', port: target.port });
    const pair = { client, server };
    pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    pipe(client, server, false);
    pipe(server, client, true);
    client.on('close', () => pairs.delete(pair));
    if (fault === 'garbage') client.write(RUBBISH);
  };

  const open = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      listener = createServer(take);
      listener.once('error', reject);
      listener.listen(port, '127.0.0.1', resolve);
    });
  const breakOff = (): void => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
    pairs.clear();
  };
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      listener.close(() => resolve());
      breakOff();
    });

  await open(0);
  const { port } = listener.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    async set(next, ms = 0) {
      const before = fault;
      fault = next;
      delayMs = ms;
      if (next === 'closed' && before !== 'closed') await close();
      if (next !== 'closed' && before === 'closed') await open(port);
      // What was lost in silence cannot be made good: such connections are dead.
      if (next === 'reset' || before === 'silent' || before === 'garbage') breakOff();
    },
    taken: () => taken,
    stop: async () => {
      if (fault !== 'closed') await close();
    },
  };
}
