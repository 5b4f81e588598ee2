// Starts all servers for `make services` and `make test`, and ends them. Run by .make/services.mjs:
//   serve.ts start STATE [FILE]   STATE: a folder that says what runs; FILE: where addresses are written for tests
//   serve.ts stop STATE
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reasonOf } from '#sdk';
import { KINDS } from './catalogue.ts';
import type { ServerKind } from './kind.ts';
import { endInstance, lives, type Instance } from './processes.ts';
import { findTool, TOOL_NAMES, type ToolName } from './tools.ts';

/** What is written down about one server or tool. */
interface Note {
  id: string;
  title: string;
  /** Address of a server, or the path of a tool. */
  address?: unknown;
  path?: string;
  how?: string;
  /** Why there is none. */
  reason?: string;
  /** How long it took this time to have the program, and to start it. */
  seconds?: number;
  start?: number;
  /** How long it took when it was built, for what was kept since. */
  built?: number;
  /** What to end; absent for a server of somebody else. */
  instance?: Instance;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const since = (started: number): number => Math.round((performance.now() - started) / 100) / 10;

/** Whole or not at all, for another process may look. */
function write(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function notes(state: string): Note[] {
  if (!existsSync(state)) return [];
  const files = readdirSync(state).filter((file) => file.endsWith('.json'));
  return files.map((file) => JSON.parse(readFileSync(join(state, file), 'utf8')) as Note);
}

/** The server of this kind that an earlier run started and that still answers; what is left of one that does not is ended. */
async function running(kind: ServerKind<{ url: string }>, state: string): Promise<Note | undefined> {
  const note = notes(state).find(({ id }) => id === kind.id);
  if (note?.instance === undefined) return undefined;
  try {
    if (!note.instance.processes.every(lives)) throw new Error('it has ended');
    await kind.ready(note.address as { url: string });
    return note;
  } catch {
    await endInstance(note.instance);
    return undefined;
  }
}

async function have(kind: ServerKind<{ url: string }>, state: string): Promise<Note> {
  const { id, title } = kind;
  const earlier = await running(kind, state);
  if (earlier !== undefined) return { ...earlier, how: earlier.how ?? 'an earlier run', seconds: 0, start: undefined };
  const began = performance.now();
  try {
    const { how, kept, start } = await kind.find();
    const seconds = since(began);
    const facts: Note = { id, title, how, seconds, built: kept?.cached === true ? kept.seconds : undefined };
    const starting = performance.now();
    const { address } = await start({
      detached: true,
      note: (instance) => {
        facts.instance = instance;
        write(join(state, `${id}.json`), facts);
      },
    });
    return { ...facts, address, start: since(starting) };
  } catch (error) {
    return { id, title, reason: reasonOf(error) };
  }
}

async function haveTool(name: ToolName): Promise<Note> {
  const began = performance.now();
  try {
    const { program, how, kept } = await findTool(name);
    const built = kept?.cached === true ? kept.seconds : undefined;
    return { id: name, title: name, path: program, how, seconds: since(began), built };
  } catch (error) {
    return { id: name, title: name, reason: reasonOf(error) };
  }
}

function line({ title, address, path, reason, how, start }: Note): string {
  const where = address === undefined ? path : ((address as { url?: string }).url ?? '');
  const facts =
    reason === undefined ? `${where}  (${how}${start === undefined ? '' : `, started in ${start} s`})` : reason;
  return `  ${reason === undefined ? title : `could not be had: ${title}`}: ${facts}`;
}

/** Has everything, two at a time, quick ones first. */
async function start(state: string, file: string | undefined): Promise<void> {
  const all: Note[] = [];
  const work = [...KINDS.map((kind) => () => have(kind, state)), ...TOOL_NAMES.map((name) => () => haveTool(name))];
  const worker = async (): Promise<void> => {
    for (let next = work.shift(); next !== undefined; next = work.shift()) {
      const note = await next();
      say(line(note));
      write(join(state, `${note.id}.json`), note);
      all.push(note);
      const addresses = all.filter(({ address }) => address !== undefined);
      if (file !== undefined) {
        write(file, Object.fromEntries(addresses.map(({ id, address, how }) => [id, { address, how }])));
      }
    }
  };
  await Promise.all([worker(), worker()]);
}

/** Ends what the notes name and nothing else, the last started first. */
async function stop(state: string): Promise<void> {
  await Promise.all(
    notes(state).map(async ({ title, instance }) => {
      if (instance === undefined) return;
      await endInstance(instance);
      say(`  stopped ${title}`);
    }),
  );
  rmSync(state, { recursive: true, force: true });
}

const [verb, state, file] = process.argv.slice(2);
if (state === undefined || (verb !== 'start' && verb !== 'stop')) {
  throw new Error('serve.ts start STATE [FILE] | serve.ts stop STATE');
}
if (verb === 'start') {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop(state).finally(() => process.exit(130)));
  }
  await start(state, file);
} else {
  await stop(state);
}
