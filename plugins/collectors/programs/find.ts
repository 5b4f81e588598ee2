import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where programs of the system lie. The agent's own PATH is not asked: whoever can set it must not choose what root runs. */
const FOLDERS = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin', 'sbin', 'bin'];

/** The path of a program of the system, or `undefined` where it is not installed. */
export function findProgram(root: string, name: string): string | undefined {
  return FOLDERS.map((folder) => join(root, folder, name)).find((path) => existsSync(path));
}
