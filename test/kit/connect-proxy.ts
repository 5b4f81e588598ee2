import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A proxy as those of companies are: it takes CONNECT and hands the bytes on. */
export interface ConnectProxy {
  /** `http://user:password@host:port`. */
  url: string;
  /** What was asked for, as `host:port`. */
  asked: string[];
  stop(): Promise<void>;
}

/** Starts a proxy that lets in who shows this name and password; `elsewhere` is where a name leads that nothing else knows. */
export async function startConnectProxy(elsewhere: () => number): Promise<ConnectProxy> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const secret = `Basic ${Buffer.from('us:a secret').toString('base64')}`;
  const server = createServer((_request, reply) => void reply.writeHead(405).end());
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push(request.url ?? '');
    open.add(client);
    client.on('error', () => client.destroy());
    if (request.headers['proxy-authorization'] !== secret)
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const target = connect({ host: '127.0.0.1', port: elsewhere() });
    target.on('error', () => client.destroy());
    target.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(target).pipe(client);
    });
    client.on('close', () => target.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://us:a%20secret@127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
