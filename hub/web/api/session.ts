import type { paths } from './schema.gen.d.ts';

/** What signing in, registering and renewing answer. */
export type SessionReply = paths['/api/v1/auth/login']['post']['responses'][200]['content']['application/json'];
/** The person who is signed in. */
export type User = SessionReply['user'];

interface Session {
  user: User;
  accessToken: string;
  /** By this page's clock, milliseconds. */
  endsMs: number;
}

/** A token with less left than this is renewed before it is used, milliseconds. */
const SPARE_MS = 20_000;

/** Kept in memory only: a script that reads storage finds nothing. The session cookie brings it back after a reload. */
let session: Session | undefined;
let refreshing: Promise<Session | undefined> | undefined;
const listeners = new Set<() => void>();

function keep(next: Session | undefined): void {
  const other = next?.user.id !== session?.user.id || next?.user.role !== session?.user.role;
  session = next;
  if (other) for (const listener of listeners) listener();
}

/** Begins a session from an answer of the hub. */
export function begin({ user, accessToken: token, expiresIn }: SessionReply): Session {
  const next = { user, accessToken: token, endsMs: Date.now() + expiresIn * 1000 };
  keep(next);
  return next;
}

async function renew(): Promise<Session | undefined> {
  const reply = await fetch('/api/v1/auth/refresh', { method: 'POST' });
  if (reply.status === 200) return begin((await reply.json()) as SessionReply);
  // A hub that is overloaded or starting says nothing about who may come in.
  if (reply.status >= 500 || reply.status === 429) return session;
  keep(undefined);
  return undefined;
}

/** Asks for a new access token with the cookie; one call at a time. Undefined when nobody is signed in. */
export function refresh(): Promise<Session | undefined> {
  refreshing ??= renew().finally(() => (refreshing = undefined));
  return refreshing;
}

/** An access token that is still good for a while; undefined when nobody is signed in. */
export async function accessToken(): Promise<string | undefined> {
  if (session !== undefined && session.endsMs - Date.now() > SPARE_MS) return session.accessToken;
  return (await refresh())?.accessToken;
}

/** Ends the session here and at the hub. */
export async function signOut(): Promise<void> {
  await fetch('/api/v1/auth/logout', { method: 'POST' }).catch(() => undefined); // It ends here in any case.
  keep(undefined);
}

/** The person who is signed in. */
export const currentUser = (): User | undefined => session?.user;

/** Calls `listener` when another person is signed in, or nobody any more. */
export function onUser(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
