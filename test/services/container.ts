import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from './sources.ts';

const run = promisify(execFile);

/** How to run a server in a container. */
export interface ContainerImage {
  image: string;
  /** The port that it listens on inside. */
  port: number;
  env?: Readonly<Record<string, string>>;
  args?: readonly string[];
  /** A settings file, mounted read-only at `path`. */
  file?: { path: string; text: string };
}

async function ask(): Promise<string | undefined> {
  for (const name of ['docker', 'podman']) {
    if (onPath(name) === undefined) continue;
    try {
      await run(name, ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 });
      return name;
    } catch {
      // The client is installed, but nothing answers it.
    }
  }
  return undefined;
}

const engines = new Map<string, Promise<string | undefined>>();

/** The container engine that answers, if one does; asked once for each PATH. */
function containerEngine(): Promise<string | undefined> {
  const path = process.env['PATH'] ?? '';
  const known = engines.get(path) ?? ask();
  engines.set(path, known);
  return known;
}

/** The engine that can run this image, which is there afterwards. Undefined without an engine; rejects when the image cannot be had. */
export async function engineWith({ image }: ContainerImage): Promise<string | undefined> {
  const engine = await containerEngine();
  if (engine === undefined) return undefined;
  try {
    await run(engine, ['image', 'inspect', image]);
  } catch {
    await run(engine, ['pull', '--quiet', image], { timeout: 600_000 }); // Not here yet.
  }
  return engine;
}

/** Starts a container with its port on loopback; gives its id. It is not run with `--rm`, so that a killed one can be started again; stopping removes it. */
export async function runContainer(
  program: string,
  { image, port, env = {}, args = [], file }: ContainerImage,
  room: { folder: string; port: number },
): Promise<string> {
  const options = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  if (file !== undefined) {
    const here = join(room.folder, 'settings');
    writeFileSync(here, file.text);
    chmodSync(room.folder, 0o755); // The user inside is another one.
    options.push('--volume', `${here}:${file.path}:ro`);
  }
  const ports = `127.0.0.1:${room.port}:${port}`;
  const { stdout } = await run(program, ['run', '--detach', '--publish', ports, ...options, image, ...args]);
  return stdout.trim();
}

/** Starts a killed container again. */
export async function startContainer(program: string, id: string): Promise<void> {
  await run(program, ['start', id]);
}
