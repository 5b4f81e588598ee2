// make start: set up, build, run the hub and one agent on this machine, print the address. Ctrl-C stops both.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { demandNode, ROOT } from './steps.mjs';

const { values } = parseArgs({
  options: { port: { type: 'string' }, 'grpc-port': { type: 'string' }, data: { type: 'string' } },
});
const data = isAbsolute(values.data) ? values.data : resolve(ROOT, values.data);

demandNode();
await build();

/** What runs now, in the order in which it was started. */
const children = new Set();
let stopping = false;

function launch(name, args, options) {
  const program = join(ROOT, 'dist', `outrider-${name}`);
  // Groups of their own: Ctrl-C reaches only this program, which stops the agent before the hub.
  const child = spawn(process.execPath, [program, ...args], { cwd: ROOT, detached: process.platform !== 'win32', ...options });
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

const ended = (child) => new Promise((done) => (child.exitCode === null && child.signalCode === null ? child.once('exit', done) : done()));

async function stop(code) {
  if (stopping) return;
  stopping = true;
  process.stdout.write('stopping …\n');
  for (const child of [...children].reverse()) {
    child.kill('SIGTERM');
    await ended(child);
  }
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
const hub = launch('hub', ['run', '--quiet', '--data', join(data, 'hub'), '--port', values.port, '--grpc-port', values['grpc-port']], {
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});
const ready = await new Promise((done) => {
  hub.once('message', done);
  hub.once('exit', () => done(undefined));
});
if (ready === undefined) process.exit(stopping ? 0 : 1);

const agentData = join(data, 'agent');
if (!existsSync(join(agentData, 'identity'))) {
  process.stdout.write('enrolling an agent on this machine …\n');
  const token = await run('hub', ['token', 'create', '--data', join(data, 'hub')]);
  const enrolled = token.code === 0 ? await run('agent', ['enroll', '--data', agentData], token.output) : token;
  if (enrolled.code !== 0) await stop(1);
}
const agent = launch('agent', ['run', '--quiet', '--data', agentData], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
agent.on('exit', (code) => void (stopping || (process.stderr.write('the agent ended; its log is in ' + join(agentData, 'log') + '\n'), stop(code ?? 1))));
hub.on('exit', (code, signal) => {
  if (stopping) return;
  process.stderr.write(`the hub ended (${signal ?? `exit code ${code}`}); its log is in ${join(data, 'hub', 'log')}. Nothing is lost: start again to go on\n`);
  void stop(code ?? 1);
});

process.stdout.write(`\nready  ${ready.url}\n`);
if (ready.firstSignIn) {
  process.stdout.write(`sign in as ${ready.firstSignIn.username} with password ${ready.firstSignIn.password}\n`);
  process.stdout.write(`(also in ${join(data, 'hub', 'first-sign-in.json')}, until you change the password)\n`);
}
process.stdout.write('Ctrl-C stops the hub and the agent\n');
