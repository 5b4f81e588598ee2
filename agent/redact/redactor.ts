import { OPTIONAL_RULES, RULES, type Rule } from './rules.ts';
import { scan } from './scan.ts';

/** What stands where a secret stood. */
const MASK = '***';

/** What the settings say of redaction. */
export interface RedactSettings {
  secrets: boolean;
  email: boolean;
  ip: boolean;
  patterns: readonly { name: string; pattern: string; ignoreCase?: boolean }[];
}

/** Replaces secrets in texts that are to leave the host. */
export interface Redactor {
  /** Where something first shows in UTF-8, at or after `from`, that may have to be replaced; `bytes.length` when nothing does. */
  scan(bytes: Uint8Array, from: number): number;
  /** The text without its secrets; the same text when it has none. Counts what was replaced. */
  redact(text: string, count?: (kind: string) => void): string;
}

/** True of a text that begins a private key and does not end it. */
export function beginsKey(text: string): boolean {
  return /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?![^]*-----END )/.test(text);
}

function rulesOf({ secrets, email, ip, patterns }: RedactSettings): Rule[] {
  return [
    ...(secrets ? RULES : []),
    ...(email ? [OPTIONAL_RULES.email] : []),
    ...(ip ? [OPTIONAL_RULES.ip] : []),
    ...patterns.map(({ name, pattern, ignoreCase }) => ({
      kind: name,
      pattern: new RegExp(pattern, ignoreCase === true ? 'giu' : 'gu'),
      isOwn: true,
    })),
  ];
}

/** Makes a redactor. Own patterns must have passed `patternFault`. */
export function createRedactor(settings: RedactSettings): Redactor {
  const rules = rulesOf(settings);
  const own = new Set(settings.patterns.map(({ name }) => name));
  const looksAtAll = settings.email || settings.ip || own.size > 0;
  return {
    // What no byte gives away is looked for in every line.
    scan: looksAtAll ? (_bytes, from) => from : settings.secrets ? scan : (bytes) => bytes.length,
    redact(text, count) {
      let shown = text;
      for (const { kind, pattern, accepts } of rules) {
        shown = shown.replace(pattern, (find: string, kept: unknown) => {
          if (find === '' || accepts?.(find) === false) return find;
          count?.(kind);
          // An own pattern's groups are its writer's affair.
          return typeof kept === 'string' && !own.has(kind) ? kept + MASK : MASK;
        });
      }
      return shown;
    },
  };
}
