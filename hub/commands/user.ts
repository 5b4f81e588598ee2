import { askHub } from './control-client.ts';

/** Gives a user a new generated password and says it. All sessions of the user end. */
export async function resetUser(dataFolder: string, username: string): Promise<string> {
  const { password } = await askHub<{ password: string }>(dataFolder, '/internal/users/reset', { username });
  return `new password of ${username}: ${password}\n`;
}
