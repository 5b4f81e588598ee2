import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Connection } from '#sdk';
import type { Static } from 'typebox';
import { problems, tlsOptions, type Target, type TlsSettings } from '../../targets/index.ts';
import { decodeReply, encodeCommand, type Reply } from './resp.ts';

/** How a Redis is reached. */
export interface RedisTarget extends Target {
  host: string;
  port: number;
  /** A Unix socket, in the place of host and port. */
  socket: string;
  user: string;
  password: string;
  encrypted: boolean;
  tls: Static<typeof TlsSettings>;
}

/** INFO of a server with a thousand commands and databases has some 100 kB. */
const MOST_BYTES = 4_000_000;

function open({ host, port, socket, encrypted, tls }: RedisTarget): Socket {
  if (socket !== '') return connectPlain(socket);
  return encrypted ? connectTls({ host, port, ...tlsOptions(tls, host) }) : connectPlain(port, host);
}

/** Sends commands one after another over one socket that stays open. */
function createSession(target: RedisTarget): { send(words: readonly string[]): Promise<string>; close(): void } {
  const socket = open(target);
  let come = Buffer.alloc(0);
  let settle: ((answer: Reply) => void) | undefined;
  const end = (fault: string): void => {
    socket.destroy();
    settle?.({ fault });
  };
  socket.on('data', (part: Buffer) => {
    come = Buffer.concat([come, part]);
    if (come.length > MOST_BYTES) return end(`the answer is larger than ${MOST_BYTES} bytes`);
    const decoded = decodeReply(come);
    if (decoded === undefined) return;
    come = come.subarray(decoded.end);
    settle?.(decoded.reply);
  });
  socket.on('error', (error) => end(error.message));
  socket.on('close', () => end('the connection was closed'));
  return {
    async send(words) {
      if (socket.destroyed) throw problems.refused('the connection was closed');
      const answer = await new Promise<Reply>((resolve) => {
        settle = resolve;
        socket.write(encodeCommand(words));
      });
      if ('fault' in answer) throw problems.refused(answer.fault);
      return answer.text;
    },
    close: () => socket.destroy(),
  };
}

/** Connects to Redis; a question is a command without quotes. A user without a name is the one that older versions know only by a password. */
export function connectRedis(target: RedisTarget): Connection {
  let session: ReturnType<typeof createSession> | undefined;
  return {
    async ask(question) {
      if (session === undefined) {
        session = createSession(target);
        const { user, password } = target;
        if (password !== '') await session.send(user === '' ? ['AUTH', password] : ['AUTH', user, password]);
      }
      return session.send(question.split(' '));
    },
    close: () => session?.close(),
  };
}
