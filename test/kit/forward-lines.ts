import { connect, type Socket } from 'node:net';

/** Sends bytes to a port of loopback, one piece after another, and comes back when the receiver does. */
export function createForwarder(port: number): (bytes: string | Uint8Array) => Promise<void> {
  let socket: Socket | undefined;
  const open = async (): Promise<Socket> => {
    while (socket === undefined) {
      socket = await new Promise<Socket | undefined>((resolve) => {
        const fresh = connect(port, '127.0.0.1', () => resolve(fresh));
        fresh.on('error', () => resolve(undefined));
        fresh.on('close', () => (socket = undefined));
      });
      if (socket === undefined) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return socket;
  };
  return async (bytes) => {
    if (bytes.length === 0) return;
    const to = await open();
    if (!to.write(bytes)) await new Promise<void>((resolve) => to.once('drain', resolve).once('close', resolve));
  };
}
