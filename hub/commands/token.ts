import { invalidSettings } from '#sdk';
import { askHub } from './control-client.ts';

/** Flags of `token create`, as typed. */
export interface TokenFlags {
  uses: string;
  expires: string;
  label: readonly string[];
  ephemeral?: boolean;
  json?: boolean;
}

/** Reads `key=value` labels; a fault names the one that is wrong. */
export function readLabels(texts: readonly string[]): Record<string, string> {
  const wrong = texts.filter((text) => !/^[^=\s]+=.+$/.test(text));
  if (wrong.length > 0) throw invalidSettings(wrong.map((text) => `--label ${text}: must be key=value`));
  return Object.fromEntries(texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
}

/** Makes a join token and gives what to print: the token alone, or the whole answer as JSON. */
export async function createToken(dataFolder: string, flags: TokenFlags): Promise<string> {
  const answer = await askHub<{ token: string }>(dataFolder, '/internal/ingest/tokens', {
    uses: Number(flags.uses),
    expiresInHours: Number(flags.expires),
    labels: readLabels(flags.label),
    ephemeral: flags.ephemeral ?? false,
  });
  return flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : `${answer.token}\n`;
}
