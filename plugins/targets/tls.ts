import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Static } from 'typebox';
import type { TlsSettings } from './settings.ts';

const read = (path: string): string | undefined => (path === '' ? undefined : readFileSync(path, 'utf8'));

/** Options of node:tls from settings; `host` names the target where no setting does. Files are read at each call, so that a renewed certificate is taken up with the next connection. */
export function tlsOptions(
  { ca, certificate, key, serverName, verify }: Static<typeof TlsSettings>,
  host = '',
): ConnectionOptions {
  const name = serverName === '' && isIP(host) === 0 ? host : serverName; // An address is never sent as a name.
  return {
    ca: read(ca),
    cert: read(certificate),
    key: read(key),
    rejectUnauthorized: verify,
    ...(name === '' ? {} : { servername: name }),
  };
}
