import { join } from 'node:path';
import { textFile, type Attributes } from '#sdk';

/** Characters of a command line that are kept. */
const MOST_CHARACTERS = 256;

/** A command line as /proc/PID/cmdline holds it, on one line and without its secrets; empty for what has none. */
export function commandLine(text: string, redact: (text: string) => string): string {
  const words = text.replace(/[\0-\x1f\x7f]+/g, ' ').trim();
  // Redacted before it is cut, so that no half of a secret is taken for something else.
  return redact(words.slice(0, MOST_CHARACTERS * 16)).slice(0, MOST_CHARACTERS);
}

/** The control group of a process from /proc/PID/cgroup: that of the unified hierarchy, else systemd's. */
export function groupPath(text: string): string | undefined {
  const unified = /^0::(\/.*)$/m.exec(text)?.[1];
  const path =
    unified === undefined || unified === '/' ? (/^\d+:name=systemd:(\/.*)$/m.exec(text)?.[1] ?? unified) : unified;
  return path === undefined || path === '/' ? undefined : path;
}

/** Names by user id, from /etc/passwd. */
export function parseUsers(text: string): ReadonlyMap<number, string> {
  const users = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name !== '' && /^\d+$/.test(uid) && !users.has(Number(uid))) users.set(Number(uid), name);
  }
  return users;
}

/** Tells of a process what does not change: read once when it gets series of its own. */
export function createIdentify(root: string, redact: (text: string) => string) {
  const readUsers = textFile(join(root, 'etc/passwd'));
  let users: ReadonlyMap<number, string> | undefined;
  const ownerOf = (status: string): string | undefined => {
    const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]); // The effective one.
    if (Number.isNaN(uid)) return undefined;
    if (users?.has(uid) !== true) users = parseUsers(readUsers() ?? '');
    return users.get(uid) ?? String(uid);
  };
  return (pid: number, name: string): Attributes => {
    const folder = join(root, 'proc', String(pid));
    const line = commandLine(textFile(join(folder, 'cmdline'))() ?? '', redact);
    const group = groupPath(textFile(join(folder, 'cgroup'))() ?? '');
    const owner = ownerOf(textFile(join(folder, 'status'))() ?? '');
    return {
      'process.pid': String(pid),
      'process.executable.name': name,
      ...(line === '' ? {} : { 'process.command_line': line }),
      ...(group === undefined ? {} : { 'process.linux.cgroup': group }),
      ...(owner === undefined ? {} : { 'process.owner': owner }),
    };
  };
}
