import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Addresses that programs call: a wrong one is an error, not the page. */
const NO_PAGE = /^\/(api|internal|assets)(\/|$)/;

/** Serves the built page: hashed files for ever, the entry always fresh, and the entry for every address of the page. */
export async function servePage(listener: FastifyInstance, folder: string): Promise<void> {
  await listener.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    index: false,
    cacheControl: false,
    setHeaders(reply, path) {
      const hashed = /[\\/]assets[\\/]/.test(path);
      void reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  listener.get('/*', (request, reply) => {
    const wantsPage = request.headers.accept?.includes('text/html') === true;
    if (!wantsPage || NO_PAGE.test(request.url)) return reply.callNotFound();
    return reply.sendFile('index.html');
  });
}
