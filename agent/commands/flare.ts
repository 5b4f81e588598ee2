import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { reasonOf, VERSION, type Settings } from '#sdk';
import type { LoadedSettings } from '../config.ts';
import { problems } from '../errors.ts';
import { redact } from '../redact/index.ts';
import { isRunning, readStatus } from '../status.ts';
import { describeSettings } from './check-config.ts';
import { collectOnce } from './collect.ts';
import { notInForce, notStarting } from './not-in-force.ts';
import { printSettings } from './print-config.ts';
import { showSpool } from './spool.ts';
import { describeStatus } from './status.ts';
import { archiveOf, type ArchiveFile } from './tar.ts';

/** Of each log file the newest bytes are taken. */
const LOG_BYTES = 2_000_000;
/** Files of the data folder that are listed. */
const LISTED = 2000;

/** What a flare is made of. */
export interface FlareGiven {
  dataFolder: string;
  /** The settings; where they cannot be used, those that stand in for them. */
  loaded: LoadedSettings;
  /** Why the settings cannot be used; none where they can. */
  faults: readonly string[];
  /** Where the archive goes; a name in the working folder unless given. */
  out: string | undefined;
  nowMs: number;
  env: NodeJS.ProcessEnv;
  flags: Settings;
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

/** What whoever opens the bundle has to know first: whether an agent runs, and with which settings. */
function noticesOf({ dataFolder, loaded, faults, nowMs }: FlareGiven): string[] {
  const status = readStatus(dataFolder);
  const running = isRunning(status, nowMs);
  const at = status === undefined ? '' : `; it was last seen at ${new Date(status.writtenMs).toISOString()}`;
  return [
    running
      ? `The agent of ${dataFolder} is running.`
      : `NO agent is running with the data folder ${dataFolder}${at === '' ? ', and none ever has' : at}. If yours has another one, name it with --data.`,
    ...(running && status !== undefined ? notInForce(status) : []),
    ...(!running && faults.length > 0 ? notStarting(loaded.file, faults) : []),
  ];
}

async function contents(given: FlareGiven): Promise<ArchiveFile[]> {
  const { dataFolder, loaded, faults, nowMs, env, flags } = given;
  const logs = join(dataFolder, 'log');
  const settings = (): LoadedSettings => {
    if (faults.length > 0) throw new Error(faults.join('\n'));
    return loaded;
  };
  const file = (): string => readFileSync(loaded.file ?? '', 'utf8');
  const now = { file: loaded.file, faults };
  let logNames: string[] = [];
  try {
    logNames = readdirSync(logs).filter((name) => /\.log(\.\d+)?$/.test(name));
  } catch {
    // It never ran, or its log is not ours to read: the list of files says so.
  }
  return Promise.all([
    part('READ-ME-FIRST.txt', () => `${noticesOf(given).join('\n')}\n`),
    Promise.resolve({ name: 'machine.json', text: machineOf(given) }),
    part('status.txt', () => describeStatus(dataFolder, { json: false, nowMs, now }).text),
    part('status.json', () => describeStatus(dataFolder, { json: true, nowMs, now }).text),
    part('check-config.txt', async () => (await describeSettings(settings(), { env, json: false })).text),
    part('print-config.txt', () => printSettings(settings(), { env, flags, json: false })),
    part('spool.txt', () => showSpool(dataFolder, false)),
    ...(loaded.file === undefined ? [] : [part('outrider-agent.yaml', file)]),
    part('collected.json', () => collectOnce(loaded.settings, true)),
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
    ...noticesOf(given).map((notice) => `${notice}\n`),
    `wrote ${path}, readable by this user only:\n`,
    ...rows,
    'Secrets that are known by their form were replaced by ***. Look through it before you send it to anyone.\n',
  ].join('');
}
