import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { CHECKOUT, inspectLayers } from './layers.ts';

const FOLDERS = ['agent', 'hub', 'plugins', 'proto', 'test'];
const scratch: string[] = [];
afterEach(() => scratch.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** A small tree with the checkout's package.json, in which a wrong import can be planted. */
function treeOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'outrider-layers-'));
  scratch.push(root);
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
  cpSync(join(CHECKOUT, 'package.json'), join(root, 'package.json'));
  symlinkSync(join(CHECKOUT, 'node_modules'), join(root, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test(
  'every import of the checkout is on the allow-list, and every module was looked at',
  { timeout: 120_000 },
  async () => {
    const { faults, modules } = await inspectLayers(CHECKOUT, FOLDERS);
    expect(faults).toEqual([]);
    const tracked = execFileSync('git', ['ls-files', ...FOLDERS], { cwd: CHECKOUT, encoding: 'utf8' })
      .split('\n')
      .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts') && !path.startsWith('proto/gen/'));
    const seen = new Set(modules);
    expect(tracked.filter((path) => !seen.has(path))).toEqual([]);
  },
);

test.each([
  [
    'a service imports a sister',
    'hub/services/logs/store.ts',
    "import '../users/store.ts';",
    'hub/services/users/store.ts',
  ],
  [
    'a service imports an adapter',
    'hub/services/logs/store.ts',
    "import '../../adapters/bus/local/index.ts';",
    'hub/adapters/bus/local/index.ts',
  ],
  ['the agent imports the hub', 'agent/start.ts', "import '../hub/http.ts';", 'hub/http.ts'],
  [
    'a collector imports another',
    'plugins/collectors/cpu/index.ts',
    "import '../disk/index.ts';",
    'plugins/collectors/disk/index.ts',
  ],
  [
    'the floor imports a plugin',
    'plugins/sdk/run.ts',
    "import '../channels/mail/index.ts';",
    'plugins/channels/mail/index.ts',
  ],
])('refuses a tree in which %s', async (_what, from, text, to) => {
  const root = treeOf({ [from]: text, [to]: 'export const here = 1;\n' });
  const { faults } = await inspectLayers(root, FOLDERS);
  expect(faults.join('\n')).toContain(`${from} imports ${to}`);
});

test.each([
  ['a service opens a file', 'hub/services/logs/store.ts', "import 'node:fs';"],
  ['a service loads a driver', 'hub/services/logs/store.ts', "import 'pg';"],
  ['the agent loads a web server', 'agent/start.ts', "import 'fastify';"],
  ['the agent loads TensorFlow', 'agent/start.ts', "import '@tensorflow/tfjs-core';"],
])('refuses a tree in which %s', async (_what, from, text) => {
  const { faults } = await inspectLayers(treeOf({ [from]: text }), FOLDERS);
  expect(faults).toHaveLength(1);
});
