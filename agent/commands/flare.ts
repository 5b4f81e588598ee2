import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { reasonOf, VERSION } from '#sdk';
import type { LoadedSettings } from '../config.ts';
import { problems } from '../errors.ts';
import { redact } from '../redact/index.ts';
import { describeSettings } from './check-config.ts';
import { collectOnce } from './collect.ts';
import { describeStatus } from './status.ts';
import { archiveOf, type ArchiveFile } from './tar.ts';

/** Of each log file the newest bytes are taken. */
const LOG_BYTES = 2_000_000;
/** Files of the data folder that are listed. */
const LISTED = 2000;

/** What a flare is made of. */
export interface FlareGiven {
  dataFolder: string;
  /** The settings, or the words that say why they cannot be read. */
  loaded: LoadedSettings | { fault: string };
  /** Where the archive goes; a name in the working folder unless given. */
  out: string | undefined;
  nowMs: number;
  env: NodeJS.ProcessEnv;
}

/** The end of a file, from the first whole line on. */
function endOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, LOG_BYTES));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString('utf8');
    return size > LOG_BYTES ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    closeSync(file);
  }
}

/** A part that cannot be had says why in its place: a flare is wanted when things do not work. */
async function part(name: string, make: () => string | Promise<string>): Promise<ArchiveFile> {
  try {
    return { name, text: redact(await make()) };
  } catch (error) {
    return { name, text: `not to be had: ${redact(reasonOf(error))}\n` };
  }
}

function filesOf(folder: string): string {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const lines = entries.slice(0, LISTED).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const { size, mtime } = statSync(path);
    return `${mtime.toISOString()} ${String(size).padStart(12)} ${relative(folder, path)}\n`;
  });
  const more = entries.length > LISTED ? `and ${entries.length - LISTED} more\n` : '';
  return lines.sort().join('') + more;
}

function machineOf({ env, nowMs }: FlareGiven): string {
  const { platform, arch, version, getuid } = process;
  const facts = { version: VERSION, node: version, platform, arch, kernel: release(), user: getuid?.() };
  const at = { time: new Date(nowMs).toISOString(), zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
  // Values of variables may be secrets of any form: only the names are taken.
  const variables = Object.keys(env).filter((name) => /^(OUTRIDER_|NODE_|HTTPS?_PROXY|NO_PROXY|TZ$|LANG$)/i.test(name));
  return `${JSON.stringify({ ...facts, ...at, variables }, null, 2)}\n`;
}

async function contents(given: FlareGiven): Promise<ArchiveFile[]> {
  const { dataFolder, loaded, nowMs } = given;
  const logs = join(dataFolder, 'log');
  const settings = (): LoadedSettings => {
    if ('fault' in loaded) throw new Error(loaded.fault);
    return loaded;
  };
  const file = (): string => readFileSync(settings().file ?? '', 'utf8');
  let logNames: string[] = [];
  try {
    logNames = readdirSync(logs).filter((name) => /\.log(\.\d+)?$/.test(name));
  } catch {
    // It never ran, or its log is not ours to read: the list of files says so.
  }
  return Promise.all([
    Promise.resolve({ name: 'machine.json', text: machineOf(given) }),
    part('status.txt', () => describeStatus(dataFolder, false, nowMs).text),
    part('status.json', () => describeStatus(dataFolder, true, nowMs).text),
    part('check-config.txt', async () => (await describeSettings(settings(), { env: given.env, json: false })).text),
    ...('fault' in loaded || loaded.file === undefined ? [] : [part('outrider-agent.yaml', file)]),
    part('collected.json', () => collectOnce(settings().settings, true)),
    part('files.txt', () => filesOf(dataFolder)),
    ...logNames.map((name) => part(`log/${name}`, () => endOf(join(logs, name)))),
  ]);
}

/** Writes a bundle for support and tells what is in it. Secrets are replaced, and keys and the spool are left out. */
export async function writeFlare(given: FlareGiven): Promise<string> {
  const stamp = new Date(given.nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const path = resolve(given.out ?? `outrider-flare-${hostname()}-${stamp}.tar.gz`);
  const files = await contents(given);
  try {
    writeFileSync(path, archiveOf(files, given.nowMs), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw problems.notWritten(`${path} cannot be written (${reasonOf(error)}). Name another file with --out.`, {
      cause: error,
    });
  }
  const rows = files.map(({ name, text }) => `  ${name.padEnd(22)} ${Buffer.byteLength(text)} bytes\n`);
  return [
    `wrote ${path}, readable by this user only:\n`,
    ...rows,
    'Secrets that are known by their form were replaced by ***. Look through it before you send it to anyone.\n',
  ].join('');
}
