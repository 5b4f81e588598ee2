// make dev: hub and agent from source, restarted on change; the page by Vite with hot reload on its own port.
import { spawn } from 'node:child_process';
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { ROOT } from './steps.mjs';

const { values } = parseArgs({ options: { port: { type: 'string' }, 'grpc-port': { type: 'string' }, data: { type: 'string' } } });
const data = isAbsolute(values.data) ? values.data : resolve(ROOT, values.data);
await setup();

const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
const children = [
  ['hub', [tsx, 'watch', 'hub/main.ts', 'run', '--data', join(data, 'hub'), '--port', values.port, '--grpc-port', values['grpc-port']]],
  ['page', [vite, 'hub/web', '--config', 'hub/web/vite.config.ts']],
].map(([name, args]) => {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, OUTRIDER_DEV_HUB: `http://127.0.0.1:${values.port}` } });
  child.on('exit', (code) => {
    process.stdout.write(`${name} ended (${code})\n`);
    for (const other of children) other.kill('SIGTERM');
  });
  return child;
});
process.stdout.write(`the agent is not part of make dev: enrol one with\n  npx tsx hub/main.ts token create --data ${join(data, 'hub')} | npx tsx agent/main.ts enroll --data ${join(data, 'agent')}\n`);
