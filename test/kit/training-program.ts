import { join } from 'node:path';
import { build } from 'esbuild';
import { CHECKOUT_ROOT } from './programs.ts';

/** As in `.make/build.mjs`. */
const EXTERNAL = ['@tensorflow/tfjs-node', '@tensorflow/tfjs-backend-wasm'];
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Builds the program that trains a model into a folder and gives its path. */
export async function buildTrainingProgram(folder: string): Promise<string> {
  const program = join(folder, 'training.mjs');
  await build({
    entryPoints: [join(CHECKOUT_ROOT, 'plugins/models/training/main.ts')],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  return program;
}
