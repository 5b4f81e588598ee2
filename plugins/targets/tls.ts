import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { Static } from 'typebox';
import type { TlsSettings } from './settings.ts';

const read = (path: string): string | undefined => (path === '' ? undefined : readFileSync(path, 'utf8'));

/** Options of node:tls from settings. Files are read at each call, so that a renewed certificate is taken up with the next connection. */
export function tlsOptions({
  ca,
  certificate,
  key,
  serverName,
  verify,
}: Static<typeof TlsSettings>): ConnectionOptions {
  return {
    ca: read(ca),
    cert: read(certificate),
    key: read(key),
    rejectUnauthorized: verify,
    ...(serverName === '' ? {} : { servername: serverName }),
  };
}
