import { currentUser } from '../../api/session.ts';
import type { Role } from './queries.ts';

/** Roles, weakest first. */
export const ROLES: readonly Role[] = ['viewer', 'editor', 'admin', 'owner'];

/** What each role may do. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  viewer: 'sees everything',
  editor: 'also changes rules, hosts and alerts',
  admin: 'also manages people, channels and agents',
  owner: 'also manages admins',
};

/** Undefined when the signed-in person has the role; else why a button is off, or what takes the role. */
export function missing(needed: Role, what = 'This'): string | undefined {
  const has = currentUser()?.role ?? 'viewer';
  return ROLES.indexOf(has) >= ROLES.indexOf(needed)
    ? undefined
    : `${what} needs the role ${needed}; yours is ${has}. An ${needed === 'owner' ? 'owner' : 'admin'} can change it.`;
}
