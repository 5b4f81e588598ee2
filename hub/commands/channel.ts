import { askHub } from './control-client.ts';

/** Sends a test through a channel and says what happened. */
export async function testChannel(dataFolder: string, name: string): Promise<string> {
  const { detail } = await askHub<{ detail: string }>(dataFolder, '/internal/notifications/test', { name });
  return `${detail}\n`;
}
