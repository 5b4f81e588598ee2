import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { keep, type Kept, type Say } from './kept.ts';

const run = promisify(execFile);

/** A program that was had. */
export interface Had {
  /** The path of its main program. */
  program: string;
  /** Where it comes from, for the table that closes `make test`. */
  how: string;
  /** Environment that it needs to run. */
  env?: Readonly<Record<string, string>>;
  /** What is kept of it between runs, when that is how it comes. */
  kept?: Kept;
}

/** One way to have a program. */
export interface Source {
  /** Undefined when this way does not lead there on this machine; throws with the reason when it should have. */
  get(): Promise<Had | undefined>;
}

/** The folder in which a program of PATH lies. */
export function onPath(name: string): string | undefined {
  if (isAbsolute(name)) return existsSync(name) ? name : undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** An installed program. `fits` looks at what `--version` prints and says whether it is one that the tests can use. */
export function installed(name: string, fits?: (version: string) => boolean): Source {
  return {
    async get() {
      const program = onPath(name);
      if (program === undefined) return undefined;
      if (fits !== undefined) {
        const { stdout, stderr } = await run(program, ['--version']);
        if (!fits(`${stdout}${stderr}`)) return undefined;
      }
      return { program, how: `installed: ${program}` };
    },
  };
}

/** What to take from Debian. */
export interface DebianPackages {
  /** The first one names the program; libraries that a bare system lacks follow. */
  packages: readonly string[];
  /** The program below the root of the package. */
  program: string;
}

function codename(): string | undefined {
  if (!existsSync('/etc/os-release') || onPath('apt-get') === undefined || onPath('dpkg') === undefined)
    return undefined;
  const release = readFileSync('/etc/os-release', 'utf8');
  return /^ID=debian$/m.test(release) ? /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] : undefined;
}

/** The program from Debian's packages, unpacked into the cache folder: nothing of the system changes and no daemon is started. */
export function debian({ packages, program }: DebianPackages): Source {
  const [name = ''] = packages;
  return {
    async get() {
      const release = codename();
      if (release === undefined) return undefined;
      const kept = await keep(name, release, (half, say) => unpack(packages, half, say));
      const { folder } = kept;
      const libraries = join(folder, 'root', 'usr', 'lib');
      const triplets = existsSync(libraries) ? readdirSync(libraries).filter((entry) => entry.includes('-linux-')) : [];
      const path = triplets.map((entry) => join(libraries, entry)).join(':');
      const env: Record<string, string> = path === '' ? {} : { LD_LIBRARY_PATH: path };
      return { program: join(folder, 'root', program), how: `Debian ${release}`, env, kept };
    },
  };
}

let refreshed: Promise<unknown> | undefined;

/** Fetches Debian's lists of packages, once a process: two at a time refuse each other. */
export function refreshLists(): Promise<unknown> {
  return (refreshed ??= run('apt-get', ['update', '-q', '-o', 'DPkg::Lock::Timeout=300']));
}

async function unpack(packages: readonly string[], folder: string, say: Say): Promise<void> {
  const download = join(folder, 'packages');
  mkdirSync(download);
  const fetchAll = () => run('apt-get', ['download', '-q', ...packages], { cwd: download });
  try {
    await fetchAll();
  } catch (error) {
    if (process.getuid?.() !== 0) {
      throw new Error(`to take ${packages[0]} from Debian, let root run apt-get update once`, { cause: error });
    }
    say('refreshing the package lists');
    await refreshLists();
    await fetchAll();
  }
  for (const file of readdirSync(download)) await run('dpkg', ['-x', join(download, file), join(folder, 'root')]);
  rmSync(download, { recursive: true });
}

/** Environment of `go`: no toolchain download, and a version that the proxy does not have fails at once. */
export async function goEnvironment(): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await run('go', ['env', 'GOPROXY', 'GOFLAGS']);
  const [proxy = '', flags = ''] = stdout.split('\n');
  return {
    ...process.env,
    GOTOOLCHAIN: 'local',
    GOPROXY: proxy.replace(/[,|]direct\b/, ''),
    GOFLAGS: `${flags} -buildvcs=false -modcacherw`.trim(),
    GOWORK: 'off',
  };
}

/** Runs a build step below normal priority; rejects with the end of what it printed. */
export async function buildStep(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const polite = onPath('nice') === undefined ? [command, ...args] : ['nice', '-n', '5', command, ...args];
  const [first = '', ...rest] = polite;
  try {
    const { stdout } = await run(first, rest, { ...options, maxBuffer: 256 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
    const words = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').slice(-8).join('\n');
    throw new Error(`${command} ${args.slice(0, 2).join(' ')} failed: ${words}`, { cause: error });
  }
}

/** Refuses with what to install when a build lacks its tools. */
export function demand(tools: readonly string[]): void {
  const missing = tools.filter((tool) => onPath(tool) === undefined);
  if (missing.length > 0) throw new Error(`to build it, install ${missing.join(', ')}`);
}

/** A Go program. */
export interface GoProgram {
  name: string;
  version: string;
  /** Package and version as `go install` takes them. */
  module: string;
  /** The program that comes out. */
  program: string;
  flags?: readonly string[];
}

/** The program built from the Go module proxy. */
export function goInstall({ name, version, module, program, flags = [] }: GoProgram): Source {
  return {
    async get() {
      const kept = await keep(name, version, async (folder) => {
        demand(['go']);
        const env = { ...(await goEnvironment()), GOBIN: join(folder, 'bin') };
        await buildStep('go', ['install', '-trimpath', '-ldflags=-s -w', ...flags, module], { env });
      });
      return { program: join(kept.folder, 'bin', program), how: `built with Go, ${version}`, kept };
    },
  };
}
