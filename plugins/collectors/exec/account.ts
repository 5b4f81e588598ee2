import { join } from 'node:path';
import { textFile } from '#sdk';

/** A user of the system, as programs are started under. */
export interface Account {
  uid: number;
  gid: number;
}

/** Looks a user up in /etc/passwd. */
export function findAccount(root: string, name: string): Account | undefined {
  for (const line of (textFile(join(root, 'etc/passwd'))() ?? '').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name && /^\d+$/.test(uid ?? '') && /^\d+$/.test(gid ?? ''))
      return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
