import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { reasonOf, writeFileDurably } from '#sdk';
import { problems } from '../sessions/index.ts';

interface SystemUser {
  uid: number;
  gid: number;
}

/** Who runs PostgreSQL and where its cluster lies. PostgreSQL refuses to run as root, so root gives it a user of its own. */
export interface Keeper {
  /** Absent when the hub's own user runs it. */
  user: SystemUser | undefined;
  /** Folder of the cluster, owned by the keeper. It exists once the cluster was made. */
  cluster: string;
  /** Folder of the socket, short and closed to others. */
  socket: string;
  /** A folder that the keeper can reach, for copies of programs. */
  home: string;
}

const SYSTEM_HOME = '/var/lib/outrider-hub';

/** Names the folder of the cluster when that is not the data folder. */
const PLACE = 'postgres.place';

/** The least that any system allows for the path of a socket, less the name that PostgreSQL gives it. */
const SOCKET_FOLDER_BYTES = 103 - '/.s.PGSQL.5432'.length;

/** True when every folder on the way may be entered by anyone. */
export function isReachable(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0 && statSync(at).isDirectory()) return false;
    if (at === dirname(at)) return true;
  }
}

function userNamed(name: string): SystemUser | undefined {
  if (!existsSync('/etc/passwd')) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  // Some systems write nobody's number as -2.
  return uid === undefined ? undefined : { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}

/** The system user that keeps PostgreSQL for root: `outrider`, made when the machine lets us, else `nobody`. */
function systemUser(): SystemUser {
  const there = userNamed('outrider');
  if (there !== undefined) return there;
  const shape = ['--system', '--no-create-home', '--home-dir', SYSTEM_HOME, '--shell', '/usr/sbin/nologin'];
  spawnSync('useradd', [...shape, 'outrider']);
  return userNamed('outrider') ?? userNamed('nobody') ?? { uid: 65_534, gid: 65_534 };
}

/** Makes a folder that everybody may enter, whatever the mask for new files says. */
export function openFolder(path: string): string {
  if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, 0o755);
  return path;
}

/** Makes a folder of the keeper's own. A link or a folder of somebody else at its place is refused: it could lead anywhere. */
export function ownedFolder(path: string, user: SystemUser | undefined): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  const owners = [process.getuid?.(), user?.uid];
  if (!found.isDirectory() || (process.getuid !== undefined && !owners.includes(found.uid)))
    throw problems.cannotStart(
      `${path} belongs to another user. Remove it, or choose another data folder with --data.`,
    );
  chmodSync(path, 0o700);
  if (user !== undefined) chownSync(path, user.uid, user.gid);
  return path;
}

/** A place outside of the data folder, and a note on both sides of who belongs to whom. */
function placeApart(dataFolder: string): string {
  openFolder(SYSTEM_HOME);
  const place = openFolder(join(SYSTEM_HOME, randomBytes(6).toString('hex')));
  writeFileDurably(join(place, 'data-folder'), dataFolder);
  writeFileDurably(join(dataFolder, PLACE), place);
  return place;
}

function knownPlace(dataFolder: string, note: string): string {
  const place = readFileSync(note, 'utf8').trim();
  const owner = join(place, 'data-folder');
  if (!existsSync(owner)) {
    throw problems.cannotStart(
      `${note} says that the database lies in ${place}, and it does not. Bring it back, or restore a backup into a new data folder.`,
    );
  }
  const other = readFileSync(owner, 'utf8').trim();
  const otherNote = join(other, PLACE);
  if (other !== dataFolder && existsSync(otherNote) && readFileSync(otherNote, 'utf8').trim() === place) {
    throw problems.cannotStart(
      `${dataFolder} is a copy of ${other}, and both name the same database ${place}. Restore a backup into a new data folder instead.`,
    );
  }
  if (other !== dataFolder) writeFileDurably(owner, dataFolder);
  return place;
}

/** The folder that holds the cluster: the data folder, or one that the system user can reach. */
function placeOf(dataFolder: string, user: SystemUser | undefined): string {
  const note = join(dataFolder, PLACE);
  if (existsSync(note)) return knownPlace(dataFolder, note);
  if (user === undefined) return dataFolder;
  if (!isReachable(dirname(dataFolder)) && !existsSync(join(dataFolder, 'postgres'))) return placeApart(dataFolder);
  // The system user's group may pass through the data folder; it may not list it, and files in it are closed one by one.
  chownSync(dataFolder, statSync(dataFolder).uid, user.gid);
  chmodSync(dataFolder, 0o710);
  return dataFolder;
}

function socketFolder(place: string, user: SystemUser | undefined): string {
  const near = join(place, 'postgres-socket');
  if (Buffer.byteLength(near) <= SOCKET_FOLDER_BYTES) return near;
  const id = createHash('sha256').update(place).digest('hex').slice(0, 12);
  if (user === undefined) return join(tmpdir(), `outrider-${process.getuid?.() ?? 'user'}-${id}`);
  return join(openFolder(SYSTEM_HOME), `socket-${id}`);
}

/** A cluster that came from another machine or was started by another user: root hands it over, others cannot. */
function takeOver(cluster: string, user: SystemUser | undefined): void {
  if (!existsSync(cluster) || process.getuid === undefined) return;
  const owner = statSync(cluster).uid;
  if (owner === (user?.uid ?? process.getuid())) return;
  if (user === undefined) {
    throw problems.cannotStart(
      `The database in ${cluster} belongs to the user with number ${owner}. Start the hub as root or as that user.`,
    );
  }
  lchownSync(cluster, user.uid, user.gid);
  for (const entry of readdirSync(cluster, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(cluster, entry), user.uid, user.gid);
}

/** Decides who keeps PostgreSQL for a data folder and where, and makes the folders. */
export function keeperFor(folder: string): Keeper {
  const dataFolder = resolve(folder);
  const user = process.getuid?.() === 0 ? systemUser() : undefined;
  try {
    const place = placeOf(dataFolder, user);
    const cluster = join(place, 'postgres');
    takeOver(cluster, user);
    return {
      user,
      cluster,
      socket: ownedFolder(socketFolder(place, user), user),
      home: user === undefined ? dataFolder : openFolder(SYSTEM_HOME),
    };
  } catch (error) {
    if (error instanceof Error && error.name === 'Problem') throw error;
    throw problems.cannotStart(
      `PostgreSQL cannot be given a user and a folder of its own (${reasonOf(error)}). Start the hub as an ordinary user, or set relational.adapter to postgres and relational.url.`,
      { cause: error },
    );
  }
}
