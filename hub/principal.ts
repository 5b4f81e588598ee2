import { Type, type Static } from 'typebox';

/** Roles of a person in an org, weakest first. Each may do what the ones before it may. */
export const ROLES = ['viewer', 'editor', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** Who is asking, established once at the edge and carried to every service. */
export const Principal = Type.Object({
  org: Type.String({ format: 'uuid' }),
  /** The user; a program's key acts for the user who made it. */
  user: Type.String({ format: 'uuid' }),
  name: Type.String(),
  role: Type.Enum([...ROLES]),
  via: Type.Enum(['session', 'key', 'service']),
  /** The session of a person who signed in; absent for keys. */
  session: Type.Optional(Type.String({ format: 'uuid' })),
});
export type Principal = Static<typeof Principal>;

/** True when `role` may do what `needed` may. */
export function roleAllows(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
