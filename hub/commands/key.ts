import { askHub } from './control-client.ts';

/** Flags of `key create`, as typed. */
export interface KeyFlags {
  user: string;
  role: string;
  days?: string;
  json?: boolean;
}

/** Makes a key for a program and gives what to print: the key alone, or the whole answer as JSON. */
export async function createKey(dataFolder: string, name: string, flags: KeyFlags): Promise<string> {
  const { user, role, days, json } = flags;
  const wanted = { username: user, name, role, ...(days === undefined ? {} : { days: Number(days) }) };
  const answer = await askHub<{ key: string }>(dataFolder, '/internal/users/keys', wanted);
  return json === true ? `${JSON.stringify(answer, null, 2)}\n` : `${answer.key}\n`;
}
