import { createRedactor } from './redactor.ts';

export { beginsKey, createRedactor, type Redactor } from './redactor.ts';

const secrets = createRedactor({ secrets: true, email: false, ip: false, patterns: [] });

/** Replaces secrets in a text that is to leave the host, such as a command line. */
export function redact(text: string): string {
  return secrets.redact(text);
}
