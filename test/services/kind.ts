import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '#sdk';
import { freePort } from '../kit/programs.ts';
import { engineWith, runContainer, startContainer, type ContainerImage } from './container.ts';
import type { Kept } from './kept.ts';
import { endInstance, forget, killInstance, runServer, scratch, type Command, type Instance } from './processes.ts';
import type { Had, Source } from './sources.ts';

/** A server that runs. */
export interface RunningServer<Address> {
  address: Address;
  stop(): Promise<void>;
}

/** A server that a test started for itself, so that it may end it. */
export interface OwnServer<Address> extends RunningServer<Address> {
  instance: Instance;
  /** Ends it as a crash would; its files and its port stay. */
  kill(): Promise<void>;
  /** Starts it again on the same files and port after `kill`. */
  again(): Promise<void>;
}

/** A server that can be had. */
export interface FoundServer<Server> {
  /** Where it comes from, for the table that closes `make test`. */
  how: string;
  /** What is kept of its program between runs, when that is how it comes. */
  kept?: Kept;
  start(options?: StartOptions): Promise<Server>;
}

/** How to start a server. */
export interface StartOptions {
  /** It outlives the process that starts it. */
  detached?: boolean;
  /** Is told of the server as soon as there is something to end, and again when it answers. */
  note?(instance: Instance): void;
  /** More flags of its program. */
  args?: readonly string[];
}

/** A kind of real server for contract tests. Each has a file of its own here. */
export interface ServerKind<Address> {
  /** Its name in files and, in capitals, in the environment. */
  id: string;
  title: string;
  /** The server that all tests use together. Throws with a sentence that says what to do when there is none. */
  find(): Promise<FoundServer<RunningServer<Address>>>;
  /** A server for one test alone, never one that others use. */
  findOwn(): Promise<FoundServer<OwnServer<Address>>>;
  /** Rejects unless a server answers there. */
  ready(address: Address): Promise<unknown>;
}

/** What is different between one kind of server and another. */
export interface Recipe<Address> {
  id: string;
  title: string;
  /** Parts of an address in the environment that must be there beside `url`. */
  parts?: readonly (keyof Address & string)[];
  container?: ContainerImage;
  /** Programs in the order in which they are tried. */
  sources: readonly Source[];
  /** The address of a server on this port of loopback. */
  address(port: number, program: string, folder: string): Address;
  /** Rejects until the server answers. */
  ready(address: Address): Promise<unknown>;
  /** What a new server needs once, after it answers. */
  first?(address: Address): Promise<void>;
  command(had: Had, room: Room<Address>): Command | Promise<Command>;
  /** The signal that ends it in order; SIGTERM when not given. */
  signal?: NodeJS.Signals;
  /** How long it may need to answer on a slow machine; 120 when not given. */
  seconds?: number;
}

/** Where one server of a kind lives. */
export interface Room<Address> {
  /** Its files; removed when it stops. */
  folder: string;
  port: number;
  address: Address;
}

/** What `make services` and `make test` write down about a server that runs. */
export interface Written {
  address: unknown;
  how: string;
}

const CHECKOUT = join(import.meta.dirname, '..', '..');

/** The file of addresses that `make services` writes. */
export const servicesFile = (): string =>
  process.env['OUTRIDER_TEST_SERVICES'] ?? join(CHECKOUT, '.cache', 'services.json');

/** The environment's name for the address of a server. */
export const variableOf = (id: string): string => `OUTRIDER_TEST_${id.toUpperCase().replaceAll('-', '_')}`;

/** Servers that `make test` could not have, each with its reason, so that no test tries again. */
export const UNAVAILABLE = 'OUTRIDER_TEST_UNAVAILABLE';

function fromEnvironment<Address>({ id, title, parts = [] }: Recipe<Address>): Address | undefined {
  const text = process.env[variableOf(id)];
  if (text === undefined || text === '') return undefined;
  const example = `{"url":"…"${parts.map((part) => `,"${part}":"…"`).join('')}}`;
  const address = text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : { url: text };
  const missing = ['url', ...parts].filter((part) => !(part in address));
  if (missing.length > 0)
    throw new Error(`${variableOf(id)} names a ${title} without ${missing.join(', ')}: write ${example}`);
  return address as Address;
}

function fromServices<Address>({ id }: Recipe<Address>): Address | undefined {
  if (!existsSync(servicesFile())) return undefined;
  const written = JSON.parse(readFileSync(servicesFile(), 'utf8')) as Record<string, Written>;
  return written[id]?.address as Address | undefined;
}

/** The first program that can be had; throws with the reason of every source when none can. */
export async function firstOf(title: string, sources: readonly Source[], variable: string): Promise<Had> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      const had = await source.get();
      if (had !== undefined) return had;
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  throw new Error([`install ${title}, or name one in ${variable}`, ...reasons].join('; '));
}

/** Refuses at once what an earlier look in the same run could not have. */
export function demandAvailable(id: string): void {
  const reasons = JSON.parse(process.env[UNAVAILABLE] ?? '{}') as Record<string, string>;
  const reason = reasons[id];
  if (reason !== undefined) throw new Error(reason);
}

function ownServer<Address>(address: Address, instance: Instance, run: () => Promise<Instance>): OwnServer<Address> {
  return {
    address,
    instance,
    async kill() {
      await killInstance(instance);
    },
    async again() {
      forget(instance);
      Object.assign(instance, await run());
    },
    async stop() {
      await endInstance(instance);
      forget(instance);
    },
  };
}

/** Another server may take the free port first: a few ports are tried, and the last reason is told. */
async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === 3 || !/address already in use|in use|EADDRINUSE|bind/i.test(reasonOf(error))) throw error;
    }
  }
}

async function startProgram<Address>(
  recipe: Recipe<Address>,
  had: Had,
  options: StartOptions,
): Promise<OwnServer<Address>> {
  const folder = scratch();
  try {
    return await onFreePort((port) => startOn(port, folder, { recipe, had, options }));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startOn<Address>(
  port: number,
  folder: string,
  { recipe, had, options }: { recipe: Recipe<Address>; had: Had; options: StartOptions },
): Promise<OwnServer<Address>> {
  const address = recipe.address(port, had.program, folder);
  const command = await recipe.command(had, { folder, port, address });
  const all = { ...command, args: [...command.args, ...(options.args ?? [])] };
  const run = (): Promise<Instance> =>
    runServer(all, {
      folder,
      detached: options.detached ?? false,
      note: options.note,
      signal: recipe.signal ?? 'SIGTERM',
      seconds: recipe.seconds ?? 120,
      ready: () => recipe.ready(address),
    });
  const instance = await run();
  try {
    await recipe.first?.(address);
  } catch (error) {
    await endInstance(instance);
    throw error;
  }
  return ownServer(address, instance, run);
}

async function startInContainer<Address>(
  recipe: Recipe<Address>,
  engine: string,
  image: ContainerImage,
  { note }: StartOptions,
): Promise<OwnServer<Address>> {
  const folder = scratch();
  return onFreePort(async (port) => {
    const address = recipe.address(port, '', folder);
    const id = await runContainer(engine, image, { folder, port });
    const instance: Instance = { processes: [], folder, signal: 'SIGTERM', container: { engine, id } };
    note?.(instance);
    const answer = (): Promise<unknown> => untilAnswer(() => recipe.ready(address), recipe.seconds ?? 120);
    try {
      await answer();
      await recipe.first?.(address);
    } catch (error) {
      await endInstance(instance);
      throw error;
    }
    return ownServer(address, instance, async () => {
      await startContainer(engine, id);
      await answer();
      return instance;
    });
  });
}

async function untilAnswer(ready: () => Promise<unknown>, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    try {
      await ready();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Makes a kind of server from what is different about it. The order in which it is looked for is the same for all. */
export function defineServer<Address>(recipe: Recipe<Address>): ServerKind<Address> {
  const { id, title, container, sources } = recipe;
  const given = (address: Address, how: string): FoundServer<RunningServer<Address>> => ({
    how,
    start: () => Promise.resolve({ address, stop: () => Promise.resolve() }),
  });
  const findOwn = async (): Promise<FoundServer<OwnServer<Address>>> => {
    demandAvailable(id);
    let unfit: Error | undefined;
    if (container !== undefined) {
      try {
        const engine = await engineWith(container);
        const start = (options: StartOptions = {}): Promise<OwnServer<Address>> =>
          startInContainer(recipe, engine ?? '', container, options);
        if (engine !== undefined) return { how: `${engine}: ${container.image}`, start };
      } catch (error) {
        unfit = new Error(`no container of ${container.image}: ${reasonOf(error)}`);
      }
    }
    const all = unfit === undefined ? sources : [{ get: () => Promise.reject(unfit) }, ...sources];
    const had = await firstOf(title, all, variableOf(id));
    return { how: had.how, kept: had.kept, start: (options = {}) => startProgram(recipe, had, options) };
  };
  return {
    id,
    title,
    async find() {
      const named = fromEnvironment(recipe);
      if (named !== undefined) return given(named, variableOf(id));
      const running = fromServices(recipe);
      if (running !== undefined) {
        try {
          await recipe.ready(running);
          return given(running, 'make services');
        } catch {
          // It has ended since: look further.
        }
      }
      return findOwn();
    },
    findOwn,
    ready: (address) => recipe.ready(address),
  };
}
