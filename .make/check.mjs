// make check: types, lint, layers, shapes, generated code and documents.
import { join } from 'node:path';
import { ROOT, step } from './steps.mjs';
import { setup } from './setup.mjs';

/** Every step of the check: a title, a program of node_modules, its arguments and the folder to run in. */
const STEPS = [
  ['types', 'typescript/bin/tsc', ['-p', '.']],
  ['types of the page', 'typescript/bin/tsc', ['-p', 'hub/web']],
  ['lint', 'eslint/bin/eslint.js', ['-c', 'test/rules/eslint.config.js', '--cache', '--cache-location', '.cache/eslint', '--max-warnings', '0', 'agent', 'hub', 'plugins', 'proto', 'test']],
  ['format', 'prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '--cache', '--cache-location', '.cache/prettier', '{agent,hub,plugins,proto,test}/**/*.{ts,tsx,css}', '!proto/gen/**', '!**/*.gen.*']],
  ['code that nothing uses', 'knip/bin/knip.js', ['--config', 'test/rules/knip.json', '--no-progress', '--no-config-hints', '--cache', '--cache-location', '.cache/knip']],
  ['layers, shapes, generated code and documents', 'vitest/vitest.mjs', ['run', '--config', 'test/vitest.config.ts', '--project', 'rules', '--reporter', 'dot']],
];

/** Runs all steps, two at a time; resolves with the titles of those that failed. */
export async function check() {
  await setup();
  const failed = [];
  const waiting = [...STEPS];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [title, path, args] = next;
      const { code, seconds } = await step(title, process.execPath, [join(ROOT, 'node_modules', path), ...args]);
      process.stdout.write(`  ${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)\n`);
      if (code !== 0) failed.push(title);
    }
  };
  await Promise.all([worker(), worker()]);
  return failed;
}

if (process.argv[1] === import.meta.filename) {
  const failed = await check();
  if (failed.length > 0) {
    process.stderr.write(`make check: failed: ${failed.join(', ')}\n`);
    process.exit(1);
  }
}
