import { request } from 'node:http';
import { defineProblems, Problem, reasonOf, socketPath } from '#sdk';
import { commandHint } from '../command-hint.ts';
import { defaultDataFolder } from '../config.ts';
import { readProblem } from '../ports/peers.ts';

const problems = defineProblems('control', {
  notRunning: { status: 503, title: 'The hub is not running.' },
});

/** Asks the hub that runs on this machine with this data folder. */
export function askHub<T>(dataFolder: string, path: string, body: unknown = {}): Promise<T> {
  const folder = dataFolder === '' ? defaultDataFolder() : dataFolder;
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socketPath(folder, 'hub'), method: 'POST', path, timeout: 15_000 }, (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.on('error', reject);
      reply.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        if ((reply.statusCode ?? 500) >= 400) reject(readProblem(reply.statusCode ?? 500, text));
        else resolve(JSON.parse(text) as T);
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 15 s')));
    call.on('error', (error) => {
      if (error instanceof Problem) return reject(error);
      reject(
        problems.notRunning(
          `No hub answers for the data folder ${folder} (${reasonOf(error)}). Start it with: ${commandHint('run', folder)}; or name the folder of the one that runs with --data.`,
          { cause: error },
        ),
      );
    });
    call.end(JSON.stringify(body));
  });
}
