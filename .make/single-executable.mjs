// One program file for Linux: the LTS of Node without its symbols, and the agent as one script inside it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXTERNAL } from './build.mjs';
import { fetchNode } from './node-lts.mjs';
import { giveUp, ROOT } from './steps.mjs';
import { stripElf } from './strip-elf.mjs';

/** The agent as one CommonJS script: with what V8 compiled of it beside it, it starts in half the CPU of an ES module. Gives what it was made of. */
export async function bundleAgent(file) {
  const { build } = await import(pathToFileURL(join(ROOT, 'node_modules/esbuild/lib/main.js')).href);
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['agent/executable.ts'],
    outfile: file,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node26',
    external: EXTERNAL,
    minify: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Paths beside the code are asked for only where there is code beside: not in the single executable.
    logOverride: { 'empty-import-meta': 'silent' },
  });
  return metafile.inputs;
}

/** The Node that does the work here, whatever this machine runs. */
async function demandNode(platform, architecture) {
  const found = await fetchNode(platform, architecture);
  return found.path === undefined ? giveUp(`There is no Node to put the agent into: ${found.reason}.`) : found;
}

/** Makes the executable for `x64` or `arm64` from a script. `folder` is for what lies between. */
export async function makeExecutable({ architecture, script, output, folder }) {
  mkdirSync(folder, { recursive: true });
  const base = await demandNode('linux', architecture);
  const builder = await demandNode(process.platform, process.arch);
  const stripped = join(folder, `node-${architecture}`);
  writeFileSync(stripped, stripElf(readFileSync(base.path)), { mode: 0o755 });
  const config = join(folder, `sea-${architecture}.json`);
  // What V8 compiled fits only the very Node that compiled it: another architecture compiles at its first start, and at each.
  const useCodeCache = process.platform === 'linux' && process.arch === architecture;
  writeFileSync(config, JSON.stringify({ main: script, output, executable: stripped, disableExperimentalSEAWarning: true, useCodeCache }));
  try {
    // A seed, so that two builds give the same bytes.
    execFileSync(builder.path, ['--random-seed=1', '--build-sea', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    giveUp(`The executable for linux-${architecture} could not be made: ${error.stderr?.toString() || error.message}`);
  }
  rmSync(stripped);
  return { licence: base.licence };
}
