import { roleAllows, type Principal, type Role } from '../../principal.ts';
import { problems } from './errors.ts';
import type { UsersDb } from './store.ts';

const weaker = (a: Role, b: Role): Role => (roleAllows(a, b) ? b : a);

/**
 * The role with which somebody acts now: a token may be minutes old, and who was demoted or switched off since does not get to
 * use the rest of them against others. Also takes the org's lock, so that changes to its people happen one after the other.
 */
export async function actingRole(db: UsersDb, principal: Principal): Promise<Role> {
  await db.selectFrom('orgs').select('org_id').forUpdate().executeTakeFirst();
  const actor = await db
    .selectFrom('users')
    .select(['role', 'disabled'])
    .where('id', '=', principal.user)
    .executeTakeFirst();
  if (actor === undefined || actor.disabled) throw problems.disabled();
  return weaker(principal.role, actor.role);
}

/** Throws unless the acting role is at least as strong as the one to be given or changed. */
export function demandNotAbove(acting: Role, role: Role): void {
  if (!roleAllows(acting, role))
    throw problems.aboveYou(`Your role is ${acting}; only a role up to that can be given or changed.`);
}

/** Throws unless the acting role is at least this strong: the token's role was checked before, the present one may be weaker. */
export function demandRole(acting: Role, needed: Role): void {
  if (!roleAllows(acting, needed)) throw problems.aboveYou(`Your role is ${acting} now; this needs ${needed}.`);
}
