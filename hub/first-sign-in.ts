import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SUBJECTS } from '#proto/subjects.ts';
import { writeFileDurably } from '#sdk';
import type { Assembly } from './assemble.ts';

/** The generated account of the first administrator. */
export interface FirstSignIn {
  username: string;
  password: string;
}

interface Answer {
  created: boolean;
  username?: string;
  password?: string;
  user?: string;
}

/** What the file holds: what the sign-in asks for, and whose it is. Older ones call the number `user`. */
type Kept = FirstSignIn & { id?: string; user?: string };

const fileOf = (dataFolder: string): string => join(dataFolder, 'first-sign-in.json');

/** Makes the first administrator if there is no user yet, and keeps name and password in the data folder until the password is changed. */
export async function keepFirstSignIn(dataFolder: string, assembly: Assembly): Promise<FirstSignIn | undefined> {
  if (!assembly.services.some(({ name }) => name === 'users')) return undefined;
  const file = fileOf(dataFolder);
  assembly.bus?.subscribe(SUBJECTS.passwordChanged, 'first-sign-in', async (_org, { user }) => {
    if (!existsSync(file)) return;
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
    if ((kept.id ?? kept.user) === user) unlinkSync(file);
  });
  const made = await assembly.peers.json<Answer>('users', {
    method: 'POST',
    path: '/internal/users/first-administrator',
  });
  if (made.created) {
    const { username, password, user } = made;
    writeFileDurably(file, `${JSON.stringify({ username, password, id: user }, null, 2)}\n`);
  }
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as FirstSignIn) : undefined;
}
