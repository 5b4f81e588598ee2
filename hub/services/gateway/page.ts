import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Addresses that programs call: a wrong one is an error, not the page. */
const NO_PAGE = /^\/(api|internal|assets|downloads)(\/|$)/;

/** Serves the built page: hashed files for ever, the entry always fresh, and the entry for every address of the page. */
export async function servePage(listener: FastifyInstance, folder: string): Promise<void> {
  const own = { index: false as const, cacheControl: false };
  await listener.register(fastifyStatic, {
    ...own,
    root: folder,
    wildcard: false,
    globIgnore: ['assets/**'],
    setHeaders: (reply) => void reply.header('cache-control', 'no-cache'),
  });
  // Looked up at each call: a page that was built anew beside a running hub is served too.
  await listener.register(fastifyStatic, {
    ...own,
    root: join(folder, 'assets'),
    prefix: '/assets/',
    decorateReply: false,
    setHeaders: (reply) => void reply.header('cache-control', 'public, max-age=31536000, immutable'),
  });
  listener.get('/*', (request, reply) => {
    // The bare address is the page for whatever asks, a person with curl among them.
    const wantsPage = request.url === '/' || request.headers.accept?.includes('text/html') === true;
    if (!wantsPage || NO_PAGE.test(request.url)) return reply.callNotFound();
    return reply.sendFile('index.html');
  });
}
