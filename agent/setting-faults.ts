import { isZone } from './lines/index.ts';
import { linkFaults } from './link/config.ts';
import { patternFault } from './redact/own-patterns.ts';

type Faults = (string | undefined)[];
type Tree = Readonly<Record<string, unknown>>;

// Each value is looked at by itself: that the schema refuses another one beside it must not hide its own fault.
const sectionOf = (value: unknown): Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : {};
const listOf = (value: unknown): Tree[] => (Array.isArray(value) ? value.map(sectionOf) : []);

const faultOf = (place: string, fault: string | undefined): string | undefined =>
  fault === undefined ? undefined : `${place}: ${fault}`;

/** The fault of a pattern; the schema refuses what is no text, or an empty one. */
const faultOfPattern = (place: string, pattern: unknown, ignoreCase = false): string | undefined =>
  typeof pattern === 'string' && pattern !== '' ? faultOf(place, patternFault(pattern, ignoreCase)) : undefined;

function faultOfRule({ pattern, below }: Tree, place: string): string | undefined {
  if (pattern !== undefined) return faultOfPattern(`${place}.pattern`, pattern);
  return below === undefined ? `${place}: names neither a pattern nor a level that lines are below` : undefined;
}

const faultsOfRules = (rules: unknown, place: string): Faults =>
  listOf(rules).map((rule, index) => faultOfRule(rule, `${place}.${index}`));

function faultsOfEntry(entry: Tree, place: string): Faults {
  const { timezone, drop } = entry;
  const { mode, start } = sectionOf(entry['multiline']);
  return [
    mode === 'start' && start === undefined
      ? `${place}.multiline.start: is needed where the mode is start`
      : faultOfPattern(`${place}.multiline.start`, start),
    typeof timezone !== 'string' || isZone(timezone)
      ? undefined
      : `${place}.timezone: this machine knows no zone ${JSON.stringify(timezone)}; it is written like Europe/Berlin`,
    ...faultsOfRules(drop, `${place}.drop`),
  ];
}

/** Faults that a schema cannot see: patterns that are none or may take for ever, zones that there are none of, and what of the link does not go together. */
export function settingFaults(settings: unknown): string[] {
  const { logs, redact, drop, link } = sectionOf(settings);
  const faults: Faults = [
    ...listOf(logs).flatMap((entry, index) => faultsOfEntry(entry, `logs.${index}`)),
    ...faultsOfRules(drop, 'drop'),
    ...listOf(sectionOf(redact)['patterns']).map(({ pattern, ignoreCase }, index) =>
      faultOfPattern(`redact.patterns.${index}.pattern`, pattern, ignoreCase === true),
    ),
    ...linkFaults(sectionOf(link)),
  ];
  return faults.filter((fault) => fault !== undefined);
}
