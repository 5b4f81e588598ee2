import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Who runs PostgreSQL and where its cluster lies. PostgreSQL refuses to run as root, so root gives it a user of its own. */
export interface Keeper {
  /** Absent when the hub's own user runs it. */
  uid?: number;
  gid?: number;
  /** Folder of the cluster, owned by the keeper. */
  cluster: string;
  /** Folder of the socket, short and closed to others. */
  socket: string;
  /** A folder that the keeper can reach, for copies of programs. */
  home: string;
}

const SYSTEM_HOME = '/var/lib/outrider-hub';

/** True when every folder on the way may be entered by anyone. */
export function isReachable(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0 && statSync(at).isDirectory()) return false;
    if (at === dirname(at)) return true;
  }
}

interface SystemUser {
  uid: number;
  gid: number;
}

function userNamed(name: string): SystemUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** The system user that keeps PostgreSQL for root: `outrider`, made when the machine lets us, else `nobody`. */
function systemUser(): SystemUser {
  const there = userNamed('outrider');
  if (there !== undefined) return there;
  spawnSync('useradd', [
    '--system',
    '--no-create-home',
    '--home-dir',
    SYSTEM_HOME,
    '--shell',
    '/usr/sbin/nologin',
    'outrider',
  ]);
  return userNamed('outrider') ?? userNamed('nobody') ?? { uid: 65_534, gid: 65_534 };
}

function ownedFolder(path: string, user: SystemUser | undefined): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  if (user !== undefined) chownSync(path, user.uid, user.gid);
  return path;
}

/** Decides who keeps PostgreSQL for a data folder, and makes the folders. */
export function keeperFor(dataFolder: string): Keeper {
  const id = createHash('sha256').update(resolve(dataFolder)).digest('hex').slice(0, 10);
  const asRoot = process.getuid?.() === 0;
  const user = asRoot ? systemUser() : undefined;
  const near = join(resolve(dataFolder), 'postgres');
  let cluster = near;
  if (user !== undefined) {
    // Others may pass through the data folder, not list it; what lies in it is closed to them file by file.
    if (isReachable(dirname(resolve(dataFolder)))) chmodSync(dataFolder, 0o711);
    else cluster = join(SYSTEM_HOME, `postgres-${id}`);
    if (cluster !== near) mkdirSync(SYSTEM_HOME, { recursive: true, mode: 0o755 });
  }
  const owner = asRoot ? 'root' : String(process.getuid?.() ?? 'user');
  return {
    ...user,
    cluster: ownedFolder(cluster, user),
    socket: ownedFolder(join(tmpdir(), `outrider-${owner}-${id}`), user),
    home: user === undefined ? resolve(dataFolder) : SYSTEM_HOME,
  };
}
