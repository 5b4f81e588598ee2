// make start: set up, build, run the hub and one agent on this machine, print the address. Ctrl-C stops both.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { demandNode, ROOT } from './steps.mjs';

const { values } = parseArgs({
  options: { port: { type: 'string' }, 'grpc-port': { type: 'string' }, data: { type: 'string' } },
});
const data = isAbsolute(values.data) ? values.data : resolve(ROOT, values.data);

const isTaken = (port) =>
  new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (taken) => (socket.destroy(), done(taken));
    socket.once('connect', () => answer(true)).once('error', () => answer(false)).setTimeout(1000, () => answer(false));
  });

/** Says of both ports at once whether they are free, before anything is built or made. */
async function demandPorts() {
  const all = [
    ['PORT', values.port],
    ['GRPC_PORT', values['grpc-port']],
  ];
  const taken = [];
  for (const [name, port] of all) if (await isTaken(Number(port))) taken.push(`${name}=${port}`);
  if (taken.length === 0) return;
  process.stderr.write(
    `another program listens at ${taken.join(' and ')}. If it is a hub that you started, it is there already; otherwise choose others: make start PORT=8081 GRPC_PORT=4321\n`,
  );
  process.exit(1);
}

demandNode();
await demandPorts();
await build();

/** What runs now, in the order in which it was started. */
const children = new Set();
let stopping = false;

function launch(name, args, options) {
  const program = join(ROOT, 'dist', `outrider-${name}`);
  // Groups of their own: Ctrl-C reaches only this program, which stops the agent before the hub.
  const child = spawn(process.execPath, [program, ...args], {
    cwd: ROOT,
    detached: process.platform !== 'win32',
    ...options,
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

const ended = (child) =>
  new Promise((done) => (child.exitCode === null && child.signalCode === null ? child.once('exit', done) : done()));

/** The PostgreSQL of a hub that was killed; undefined when none runs. Its number may be another program's by now. */
function leftDatabase() {
  const note = join(data, 'hub', 'postgres.place');
  const cluster = join(existsSync(note) ? readFileSync(note, 'utf8').trim() : join(data, 'hub'), 'postgres');
  const file = join(cluster, 'postmaster.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout?.includes(cluster) ? pid : undefined;
}

/** Ends what a hub that was killed could not end itself: fast first, then at once. */
async function stopDatabase() {
  for (const signal of ['SIGINT', 'SIGQUIT']) {
    for (let n = 0; n < 100; n++) {
      const pid = leftDatabase();
      if (pid === undefined) return;
      if (n === 0) process.kill(pid, signal);
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

async function stop(code) {
  if (stopping) return;
  stopping = true;
  process.stdout.write('stopping …\n');
  for (const child of [...children].reverse()) {
    child.kill('SIGTERM');
    await ended(child);
  }
  await stopDatabase();
  process.stdout.write('stopped\n');
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));

function run(name, args, input) {
  return new Promise((done) => {
    const child = launch(name, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (part) => (output += part));
    child.on('close', (code) => done({ code, output }));
    child.stdin.end(input);
  });
}

process.stdout.write('starting the hub …\n');
const hub = launch(
  'hub',
  ['run', '--quiet', '--data', join(data, 'hub'), '--port', values.port, '--grpc-port', values['grpc-port']],
  {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  },
);
const ready = await new Promise((done) => {
  hub.once('message', done);
  hub.once('exit', () => done(undefined));
});
if (ready === undefined) await stop(1);

const agentData = join(data, 'agent');
if (!existsSync(join(agentData, 'identity'))) {
  process.stdout.write('enrolling an agent on this machine …\n');
  const token = await run('hub', ['token', 'create', '--data', join(data, 'hub')]);
  const enrolled = token.code === 0 ? await run('agent', ['enroll', '--data', agentData], token.output) : token;
  if (enrolled.code !== 0) await stop(1);
}
const agent = launch('agent', ['run', '--quiet', '--data', agentData], {
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  env: { ...process.env, MALLOC_ARENA_MAX: '1' }, // As its service has it.
});
agent.on(
  'exit',
  (code) =>
    void (
      stopping ||
      (process.stderr.write('the agent ended; its log is in ' + join(agentData, 'log') + '\n'), stop(code ?? 1))
    ),
);
hub.on('exit', (code, signal) => {
  if (stopping) return;
  process.stderr.write(
    `the hub ended (${signal ?? `exit code ${code}`}); its log is in ${join(data, 'hub', 'log')}. Nothing is lost: start again to go on\n`,
  );
  void stop(code ?? 1);
});

process.stdout.write(`\nready  ${ready.url}\n`);
if (ready.firstSignIn) {
  process.stdout.write(`sign in as ${ready.firstSignIn.username} with password ${ready.firstSignIn.password}\n`);
  process.stdout.write(`(also in ${join(data, 'hub', 'first-sign-in.json')}, until you change the password)\n`);
}
process.stdout.write('Ctrl-C stops the hub and the agent\n');
