import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { problems } from './errors.ts';

/** What `make package` leaves for others, and nothing else that may lie in the folder. */
const NAMES = /^\/(install\.sh|SHA256SUMS(\.sig|\.pem)?|outrider-agent-[0-9A-Za-z.+-]{1,64}\.(tar\.gz|deb|rpm))$/;

/** An archive has 45 MB: slow readers shall not hold every handle of the process. */
const MOST_AT_ONCE = 32;

/** Serves packages of the agent to machines that have none yet: public, read-only, the same for every organisation. The folders are looked at at each call; the first that has a file gives it. */
export async function serveDownloads(listener: FastifyInstance, folders: readonly string[]): Promise<void> {
  if (folders.length === 0) return;
  let open = 0;
  await listener.register(async (downloads) => {
    downloads.addHook('onRequest', (_request, reply, done) => {
      if (open >= MOST_AT_ONCE) return done(problems.busy('Try again in a minute.', { facts: { retryAfter: 60 } }));
      open += 1;
      reply.raw.once('close', () => (open -= 1));
      done();
    });
    await downloads.register(fastifyStatic, {
      root: [...folders],
      prefix: '/downloads/',
      index: false,
      dotfiles: 'ignore',
      decorateReply: false,
      cacheControl: false,
      allowedPath: (path) => NAMES.test(path),
      setHeaders: (reply) => void reply.header('cache-control', 'no-cache'),
    });
  });
}
