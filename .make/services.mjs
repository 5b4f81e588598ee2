// make services, make services-stop: the real servers that tests use, for a developer; and the same for one run of make test.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setup } from './setup.mjs';
import { giveUp, ROOT } from './steps.mjs';

const STATES = join(ROOT, '.cache', 'services');
const DEVELOPER = join(STATES, 'developer');
const FILE = join(ROOT, '.cache', 'services.json');

const SERVE = ['--import', 'tsx', join('test', 'services', 'serve.ts')];

/** Runs test/services/serve.ts in TypeScript; `code` resolves when it has ended. */
function serve(args, env = process.env) {
  const child = spawn(process.execPath, [...SERVE, ...args], { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  return { child, code: new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1))) };
}

function notesIn(state) {
  if (!existsSync(state)) return [];
  const files = readdirSync(state).filter((file) => file.endsWith('.json'));
  return files.map((file) => JSON.parse(readFileSync(join(state, file), 'utf8')));
}

const variableOf = (id) => `OUTRIDER_TEST_${id.toUpperCase().replaceAll('-', '_')}`;

const isRunning = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** Ends servers of runs of make test that were killed before they could. */
async function sweep() {
  for (const name of existsSync(STATES) ? readdirSync(STATES) : []) {
    const pid = Number(/^test-(\d+)$/.exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) await serve(['stop', join(STATES, name)]).code;
  }
}

/** Has all servers for this run of make test; gives what tests need in their environment and the notes for the closing table. They end with this process, however it ends; after SIGKILL, when the next run begins. */
export async function servicesForTests() {
  const started = Date.now();
  await sweep();
  const state = join(STATES, `test-${process.pid}`);
  const { child, code } = serve(['start', state]);
  process.once('exit', () => {
    // One that still starts servers ends those itself.
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    else spawnSync(process.execPath, [...SERVE, 'stop', state], { cwd: ROOT, stdio: 'ignore' });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
  if ((await code) !== 0) throw new Error('the servers for tests were not started; above is why');
  const notes = notesIn(state);
  const had = notes.filter(({ reason }) => reason === undefined);
  const env = Object.fromEntries(had.map(({ id, address, path }) => [variableOf(id), path ?? JSON.stringify(address)]));
  const reasons = Object.fromEntries(notes.filter(({ reason }) => reason !== undefined).map(({ id, reason }) => [id, reason]));
  return { env: { ...env, OUTRIDER_TEST_UNAVAILABLE: JSON.stringify(reasons) }, notes, seconds: Math.round((Date.now() - started) / 1000) };
}

/** One line a server for the closing table: where it came from and how long it took to have it and to start it. */
export function describeNote({ title, how, seconds, built, start }) {
  const before = built === undefined ? '' : `, kept since a run that needed ${built} s`;
  const had = start === undefined ? `${seconds} s` : `${seconds} s, started in ${start} s`;
  return `${title.padEnd(26)} ${how}: ${had}${before}`;
}

if (process.argv[1] === import.meta.filename) {
  await setup();
  if (process.argv[2] === 'stop') {
    const code = await serve(['stop', DEVELOPER]).code;
    rmSync(FILE, { force: true });
    if (code !== 0) process.exit(code);
    process.stdout.write('no server of `make services` runs any more\n');
  } else {
    process.stdout.write('having and starting the servers that tests use …\n');
    const { code: ended } = serve(['start', DEVELOPER, FILE], { ...process.env, OUTRIDER_TEST_SERVICES: '' });
    const code = await ended;
    if (code !== 0) giveUp('The servers were not started; `make services-stop` ends what is left of them.');
    process.stdout.write(`tests use them by ${relative(ROOT, FILE)}; end them with: make services-stop\n`);
    if (notesIn(DEVELOPER).some(({ reason }) => reason !== undefined)) process.exit(1);
  }
}
