import { currentUser } from '../../api/session.ts';

const ROLES = ['viewer', 'editor', 'admin', 'owner'] as const;
type Role = (typeof ROLES)[number];

const WHO: Readonly<Record<Role, string>> = {
  viewer: 'Everybody may do this',
  editor: 'Only editors and administrators may do this; an administrator can make you one',
  admin: 'Only administrators may do this; an owner can make you one',
  owner: 'Only owners may do this',
};

/** What a button needs when not everybody may press it: it stays in sight and says who may. */
export interface Permission {
  disabled: boolean;
  title: string | undefined;
}

/** Whether the person who is signed in has a role or a stronger one. */
export function useMay(role: Role): Permission {
  const own = ROLES.indexOf((currentUser()?.role ?? 'viewer') as Role);
  return own >= ROLES.indexOf(role) ? { disabled: false, title: undefined } : { disabled: true, title: WHO[role] };
}
