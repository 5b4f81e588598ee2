// make dev: hub and agent from source, restarted on change; the page by Vite, with hot reload, on a port of its own.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { giveUp, ROOT } from './steps.mjs';

const { values } = parseArgs({ options: { port: { type: 'string' }, 'grpc-port': { type: 'string' }, data: { type: 'string' } } });
const data = isAbsolute(values.data) ? values.data : resolve(ROOT, values.data);
const [hubData, agentData] = [join(data, 'hub'), join(data, 'agent')];
await setup();

const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
const url = `http://127.0.0.1:${values.port}`;
const children = new Set();
let stopping = false;

// Once only: a second signal makes tsx kill what it runs.
function stop() {
  if (stopping) return;
  stopping = true;
  for (const child of children) child.kill('SIGTERM');
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);

function launch(name, args) {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, OUTRIDER_DEV_HUB: url } });
  children.add(child);
  child.on('exit', (code) => {
    children.delete(child);
    if (!stopping) process.stdout.write(`${name} ended (${code})\n`);
    stop();
  });
}

async function isReady() {
  try {
    return (await fetch(`${url}/ready`)).ok;
  } catch {
    return false; // It is not there yet.
  }
}

launch('the hub', [tsx, 'watch', 'hub/main.ts', 'run', '--data', hubData, '--port', values.port, '--grpc-port', values['grpc-port']]);
for (let tries = 0; !(await isReady()) && !stopping; tries += 1) {
  if (tries > 300) {
    stop();
    giveUp('The hub was not ready within a minute; above is what it said.');
  }
  await pause(200);
}
if (!stopping && !existsSync(join(agentData, 'identity'))) {
  const token = spawnSync(process.execPath, [tsx, 'hub/main.ts', 'token', 'create', '--data', hubData], { cwd: ROOT, encoding: 'utf8' });
  spawnSync(process.execPath, [tsx, 'agent/main.ts', 'enroll', '--data', agentData], { cwd: ROOT, input: token.stdout, stdio: ['pipe', 'inherit', 'inherit'] });
}
if (!stopping) {
  launch('the agent', [tsx, 'watch', 'agent/main.ts', 'run', '--quiet', '--data', agentData]);
  launch('the page', [vite, 'hub/web', '--config', 'hub/web/vite.config.ts']);
}
