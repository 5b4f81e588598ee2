// make test: sets up what it needs, runs everything, and ends with a table and the line `N passed, N failed, N skipped`.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { build } from './build.mjs';
import { check } from './check.mjs';
import { chromium, ltsNode, sshServer } from './programs.mjs';
import { describeNote, servicesForTests } from './services.mjs';
import { setup } from './setup.mjs';
import { demandNode, ROOT, step } from './steps.mjs';

const CI = process.env.CI === 'true';
const RESULTS = join(ROOT, '.cache', 'results');
/** A run of tests that takes longer hangs, seconds. */
const LIMIT = 2400;
const rows = [];
const missing = [];
const failures = [];
const totals = { passed: 0, failed: 0, skipped: 0 };

/** Adds the counts of one run of vitest, read from its JSON. */
function count(title, file, code) {
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const passed = report?.numPassedTests ?? 0;
  const failed = (report?.numFailedTests ?? 0) + (code !== 0 && !report?.numFailedTests ? 1 : 0);
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  rows.push([title, passed, failed, skipped]);
  for (const file of report?.testResults ?? []) {
    const name = relative(ROOT, file.name);
    const failing = file.assertionResults.filter((one) => one.status === 'failed');
    for (const { fullName, failureMessages } of failing) failures.push(`${title}: ${name}: ${fullName}\n${failureMessages.join('\n')}`);
    if (failing.length === 0 && file.status === 'failed') failures.push(`${title}: ${name}\n${file.message}`);
  }
}

async function vitest(title, project, { node = process.execPath, extra = [], env = {} } = {}) {
  const file = join(RESULTS, `${title.replace(/\W+/g, '-')}.json`);
  const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'test/vitest.config.ts', '--project', project];
  const reporters = ['default', 'json', join(ROOT, '.make/unfinished.mjs')].flatMap((name) => ['--reporter', name]);
  const all = [...args, ...reporters, `--outputFile.json=${file}`, ...extra];
  const unfinished = join(RESULTS, 'unfinished');
  const its = { PATH: `${dirname(node)}${delimiter}${process.env.PATH}`, OUTRIDER_TEST_UNFINISHED: unfinished };
  const { code, isLate } = await step(title, node, all, { quiet: false, limit: LIMIT, env: { ...process.env, ...its, ...env } });
  count(title, file, code);
  if (isLate) failures.push(`${title}: took over ${LIMIT} s and was ended; these files had not: ${readFileSync(unfinished, 'utf8').replaceAll('\n', ', ')}`);
}

function coverageLine() {
  const file = join(ROOT, 'coverage', 'coverage-summary.json');
  if (!existsSync(file)) return 'no coverage was measured';
  const { lines } = JSON.parse(readFileSync(file, 'utf8')).total;
  return `line coverage of agent, hub and plugins by in-process tests: ${lines.pct} % (${lines.covered} of ${lines.total}); main.ts, commands/ and web/ not counted`;
}

/** Servers that the tests looked for and did not get, as they wrote it down. */
function missingServers() {
  const folder = join(RESULTS, 'servers');
  if (!existsSync(folder)) return [];
  const notes = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  return notes.filter(({ had }) => !had).map(({ server, reason }) => [server, reason]);
}

demandNode();
const started = Date.now();
rmSync(RESULTS, { recursive: true, force: true });
mkdirSync(RESULTS, { recursive: true });
process.env.OUTRIDER_TEST_RESULTS = RESULTS;
await setup();
const services = servicesForTests();
services.catch(() => undefined); // Awaited after the build and the checks, beside which the servers are had.
await build();
const failedChecks = await check();
const { env: addresses, notes, seconds: servicesSeconds } = await services;
Object.assign(process.env, addresses);
rows.push(['check: types, lint, layers, shapes', failedChecks.length === 0 ? 1 : 0, failedChecks.length, 0]);
totals.passed += failedChecks.length === 0 ? 1 : 0;
totals.failed += failedChecks.length;

for (const [title, variable, find] of [
  ['Chromium', 'OUTRIDER_TEST_CHROMIUM', chromium],
  ['OpenSSH', 'OUTRIDER_TEST_SSHD', sshServer],
]) {
  const { path, reason } = await find();
  if (path === undefined) missing.push([title, reason]);
  else process.env[variable] = path;
}

await vitest('in-process tests', 'in-process', { extra: ['--coverage'] });
await vitest('system tests, one process', 'system');
await vitest('system tests, one process for each service', 'system', { env: { OUTRIDER_TEST_TOPOLOGY: 'split', OUTRIDER_TEST_AGAIN: 'split' } });

if (CI) {
  const lts = await ltsNode();
  if (lts.path === undefined) missing.push(['the current LTS of Node', lts.reason]);
  else {
    await vitest('in-process tests on the LTS', 'in-process', { node: lts.path, env: { OUTRIDER_TEST_AGAIN: 'lts' } });
    await vitest('system tests on the LTS', 'system', { node: lts.path, env: { OUTRIDER_TEST_AGAIN: 'lts' } });
  }
}
for (const { title, reason } of notes) if (reason !== undefined) missing.push([title, reason]);
missing.push(...missingServers().filter(([title]) => !missing.some(([known]) => known === title)));

process.stdout.write(`\n${coverageLine()}\n\n`);
for (const [title, passed, failed, skipped] of rows) {
  process.stdout.write(`${title.padEnd(42)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${String(skipped).padStart(4)} skipped\n`);
}
process.stdout.write(`\nservers and tools for tests (all had after ${servicesSeconds} s, beside build and check)\n`);
for (const note of notes) if (note.reason === undefined) process.stdout.write(`  ${describeNote(note)}\n`);
for (const [what, reason] of missing) process.stdout.write(`could not run: ${what}: ${reason}\n`);
if (CI) totals.failed += missing.length;
for (const failure of failures) process.stdout.write(`\nfailed: ${failure.split('\n').slice(0, 12).join('\n    ')}\n`);
process.stdout.write(`took ${Math.round((Date.now() - started) / 1000)} s\n`);
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exit(totals.failed === 0 ? 0 : 1);
