// make bench: runs every script of test/bench one after another; each prints its own figures.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, step } from './steps.mjs';

const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
for (const file of readdirSync(join(ROOT, 'test/bench')).filter((name) => name.endsWith('.ts')).sort()) {
  await step(`bench ${file}`, process.execPath, [tsx, join('test/bench', file)], { quiet: false });
}
