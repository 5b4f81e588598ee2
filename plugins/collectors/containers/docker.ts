import { request } from 'node:http';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Clock } from '#sdk';

/** What the engine knows of a container. */
export interface DockerContainer {
  name: string;
  image: string;
}

/** What is asked: all that run. */
const PATH = '/containers/json';
const TIMEOUT_MS = 3000;
const MOST_BYTES = 8_388_608;

const Listed = Type.Array(
  Type.Object({
    Id: Type.String(),
    Names: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
    Image: Type.Optional(Type.String()),
  }),
);

/** Reads the engine's list of containers, by id. */
export function parseContainers(text: string): Map<string, DockerContainer> {
  const found: unknown = JSON.parse(text);
  if (!Value.Check(Listed, found)) throw new Error('the engine answered something else than a list of containers');
  return new Map(
    found.map(({ Id, Names, Image }) => [Id, { name: (Names?.[0] ?? '').replace(/^\//, ''), image: Image ?? '' }]),
  );
}

/** Asks Docker's or Podman's engine on its socket for the names of containers. It only reads, and takes no more than it can hold. */
export function listContainers(
  socket: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Map<string, DockerContainer>> {
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath: socket,
      path: PATH,
      method: 'GET',
      headers: { host: 'localhost' },
      agent: false,
      signal,
    });
    const cancel = clock.after(TIMEOUT_MS, () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    const fail = (error: Error): void => {
      cancel();
      asked.destroy();
      reject(new Error(`${socket}: ${error.message}`, { cause: error }));
    };
    asked.on('error', fail);
    asked.on('response', (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('error', fail);
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) fail(new Error(`it answered more than ${MOST_BYTES} bytes`));
        else chunks.push(chunk);
      });
      answer.on('end', () => {
        if (answer.statusCode !== 200) return fail(new Error(`it answered ${answer.statusCode ?? 'nothing'}`));
        try {
          const containers = parseContainers(Buffer.concat(chunks).toString('utf8'));
          cancel();
          resolve(containers);
        } catch (error) {
          fail(error as Error);
        }
      });
    });
    asked.end();
  });
}
