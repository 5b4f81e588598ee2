import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { keep, type Say } from './kept.ts';
import { defineServer } from './kind.ts';
import { answers } from './processes.ts';
import { buildStep, demand, goEnvironment, installed, type Source } from './sources.ts';

/** Address of an InfluxDB 2 for tests, with a token that may do everything. Give each test file a bucket of its own (`ownName`). */
export interface InfluxAddress {
  url: string;
  org: string;
  token: string;
}

const VERSION = '2.7.12';
const MODULE = 'github.com/influxdata/influxdb/v2';
const ORG = 'outrider';
const TOKEN = 'for-tests-only';

/** `fipsonly` leaves out drivers of SQL databases that nothing here asks for. */
const TAGS = 'sqlite_foreign_keys,sqlite_json,fipsonly';

/** A copy of a module's source that may be written to. */
async function source(module: string, to: string, options: { cwd?: string; env: NodeJS.ProcessEnv }): Promise<string> {
  const { Dir, Version } = JSON.parse(await buildStep('go', ['mod', 'download', '-json', module], options)) as {
    Dir: string;
    Version: string;
  };
  cpSync(Dir, to, { recursive: true });
  for (const entry of await readdir(to, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
  return Version;
}

/** The language of queries is written in Rust: a static library, built for speed of building. */
async function buildFlux(flux: string, target: string): Promise<void> {
  // The file pins an old compiler and targets for other machines; lints that are errors fail on newer compilers.
  rmSync(join(flux, 'rust-toolchain.toml'), { force: true });
  const profile = { LTO: 'off', OPT_LEVEL: '1', CODEGEN_UNITS: '16', BUILD_OVERRIDE_OPT_LEVEL: '1' };
  const env = {
    ...process.env,
    ...Object.fromEntries(Object.entries(profile).map(([key, value]) => [`CARGO_PROFILE_RELEASE_${key}`, value])),
    RUSTFLAGS: '--cap-lints allow',
    CARGO_TARGET_DIR: target,
    CARGO_INCREMENTAL: '0',
    CARGO_BUILD_TARGET: undefined,
    CARGO_ENCODED_RUSTFLAGS: undefined,
  };
  const what = ['rustc', '--quiet', '--locked', '--release', '-p', 'flux', '--lib', '--crate-type', 'staticlib'];
  await buildStep('cargo', what, { cwd: join(flux, 'libflux'), env });
}

/** The server's own tree becomes the main module, so that the versions it pins hold. */
async function build(folder: string, say: Say): Promise<void> {
  demand(['go', 'cargo', 'gcc', 'pkg-config']);
  const work = join(folder, 'work');
  const [server, flux, target, wrapper] = ['server', 'flux', 'target', 'pkg-config'].map((name) =>
    join(work, name),
  ) as [string, string, string, string];
  mkdirSync(wrapper, { recursive: true });
  const env = await goEnvironment();
  await source(`${MODULE}@v${VERSION}`, server, { cwd: work, env });
  const version = await source('github.com/influxdata/flux', flux, { cwd: server, env });
  say('building the query language (Rust)');
  await buildFlux(flux, target);
  writeFileSync(
    join(wrapper, 'flux.pc'),
    `Name: Flux\nVersion: ${version.slice(1)}\nDescription: libflux\n` +
      `Libs: -L${join(target, 'release')} -lflux -ldl -lm -lpthread\nCflags: -I${join(flux, 'libflux', 'include')}\n`,
  );
  say('building the server (Go)');
  const flags = `-s -w -X main.version=v${VERSION} -X main.commit=module`;
  await buildStep('go', ['build', '-tags', TAGS, '-ldflags', flags, '-o', join(folder, 'influxd'), './cmd/influxd'], {
    cwd: server,
    env: { ...env, CGO_ENABLED: '1', PKG_CONFIG: undefined, PKG_CONFIG_PATH: wrapper },
  });
  rmSync(work, { recursive: true });
}

const BUILT: Source = {
  async get() {
    const kept = await keep('influxdb', VERSION, build);
    return { program: join(kept.folder, 'influxd'), how: `built with Go and Rust, ${VERSION}`, kept };
  },
};

/** Makes the first user, organisation and token of a new server. */
async function onboard({ url, org, token }: InfluxAddress): Promise<void> {
  const response = await fetch(`${url}/api/v2/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: TOKEN, org, bucket: 'outrider', token }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`${url}/api/v2/setup answers ${response.status}: ${await response.text()}`);
}

/** InfluxDB 2, built from the Go module proxy and crates.io when none is installed. Expired data goes every 2 s instead of every 30 min. */
export const influxdb = defineServer<InfluxAddress>({
  id: 'influxdb',
  title: 'InfluxDB',
  parts: ['org', 'token'],
  container: { image: 'influxdb:2.7', port: 8086, env: { INFLUXD_REPORTING_DISABLED: 'true' } },
  sources: [installed('influxd', (version) => version.includes(' v2.')), BUILT],
  address: (port) => ({ url: `http://127.0.0.1:${port}`, org: ORG, token: TOKEN }),
  ready: ({ url }) => answers(`${url}/health`),
  first: onboard,
  command: ({ program }, { folder, port }) => {
    const flags = {
      'http-bind-address': `127.0.0.1:${port}`,
      'bolt-path': join(folder, 'influxd.bolt'),
      'sqlite-path': join(folder, 'influxd.sqlite'),
      'engine-path': join(folder, 'engine'),
      'storage-retention-check-interval': '2s',
      'storage-wal-fsync-delay': '0s',
      'log-level': 'warn',
    };
    const switches = ['--reporting-disabled', '--ui-disabled'];
    const args = ['run', ...Object.entries(flags).map(([key, value]) => `--${key}=${value}`), ...switches];
    return { program, args, env: { GOMEMLIMIT: '1GiB' } };
  },
});
