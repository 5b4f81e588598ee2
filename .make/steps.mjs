// What the other programs in this folder share: running steps while saying what happens.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends with one sentence and exit code 1. */
export function giveUp(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/**
 * Runs a command; resolves with its exit code and output. `quiet` keeps the output unless it fails; a line says every ten seconds that it still runs.
 * One that takes longer than `limit` seconds is ended, with all that it started.
 */
export function step(title, command, args, { quiet = true, cwd = ROOT, env = process.env, limit } = {}) {
  const started = Date.now();
  process.stdout.write(`${title} …\n`);
  return new Promise((resolve) => {
    const stdio = ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'];
    const child = spawn(command, args, { cwd, env, stdio, detached: limit !== undefined });
    let isLate = false;
    const end = () => process.kill(-child.pid, 'SIGKILL');
    const late = () => {
      isLate = true;
      end();
    };
    const interrupted = () => {
      end(); // A group of its own does not hear Ctrl-C.
      process.exit(130);
    };
    const timer = limit === undefined ? undefined : setTimeout(late, 1000 * limit);
    if (limit !== undefined) process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => (output += part));
    const beat = setInterval(() => process.stdout.write(`  still ${title} (${seconds(started)} s)\n`), 10_000);
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      clearInterval(beat);
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      if (code !== 0 && quiet) process.stderr.write(output);
      resolve({ code: code ?? 1, output, seconds: seconds(started), isLate });
    });
  });
}

const seconds = (since) => Math.round((Date.now() - since) / 100) / 10;

/** Refuses a Node that is too old. */
export function demandNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  giveUp(`Outrider needs Node 20.19 or newer; this is ${process.versions.node}. Install a newer Node and run the same command again.`);
}

function filesBelow(folder, out = []) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) filesBelow(path, out);
    else out.push(path);
  }
  return out;
}

/** A fingerprint of folders and files: names, sizes and times of change. */
export function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    const full = join(ROOT, path);
    if (!existsSync(full)) continue;
    const files = statSync(full).isDirectory() ? filesBelow(full) : [full];
    for (const file of files.sort()) {
      const { size, mtimeMs } = statSync(file);
      hash.update(`${file} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

/** True when the stamp of this name already says `value`. */
export function isStamped(name, value) {
  const file = join(ROOT, '.cache', name);
  return existsSync(file) && readFileSync(file, 'utf8') === value;
}

/** Writes a stamp. */
export function stamp(name, value) {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  writeFileSync(join(ROOT, '.cache', name), value);
}
