/** The script that installs an agent, as the hub has it. */
export interface Installer {
  version: string;
  /** Lower-case hex. */
  sha256: string;
}

/** What a script is, told by its text; undefined when it is none that `make package` wrote. */
export async function readInstaller(script: string): Promise<Installer | undefined> {
  const version = /^version='([^']{1,64})'$/m.exec(script)?.[1];
  if (version === undefined) return undefined;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script));
  return { version, sha256: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
}

/** The address at which agents reach the hub, as a join token names it. */
function hubOf(token: string): string | undefined {
  try {
    const text = atob(token.replace(/^orj_/, '').replaceAll('-', '+').replaceAll('_', '/'));
    const { url } = JSON.parse(text) as { url?: unknown };
    return typeof url === 'string' && /^https?:\/\/[\w.:[\]/-]+$/.test(url) ? url.replace(/\/$/, '') : undefined;
  } catch {
    return undefined; // Another form than this page knows.
  }
}

/**
 * One line that installs an agent, joins it and starts it. Nobody who answers is believed: the digest in the line holds the script to
 * what the hub has, the script holds the archive, and the token holds the hub to its authority. The token is never an argument: `echo` is the shell's own.
 */
export function installLine({ sha256 }: Installer, token: string, origin: string): string {
  const from = hubOf(token) ?? origin;
  return [
    't=$(mktemp)',
    `curl -fsSk ${from}/downloads/install.sh -o "$t"`,
    `echo "${sha256}  $t" | sha256sum -c --quiet`,
    `echo ${token} | sh "$t"`,
  ].join(' && ');
}
