import { Value } from 'typebox/value';
import { dropRules, isZone, LineSettings, redactSettings } from './lines/index.ts';
import { patternFault } from './redact/own-patterns.ts';

const DROP_RULES = dropRules('');

type Faults = (string | undefined)[];

const faultOf = (place: string, fault: string | undefined): string | undefined =>
  fault === undefined ? undefined : `${place}: ${fault}`;

function faultOfRule({ pattern, below }: LineSettings['drop'][number], place: string): string | undefined {
  if (pattern !== undefined) return faultOf(`${place}.pattern`, patternFault(pattern));
  return below === undefined ? `${place}: names neither a pattern nor a level that lines are below` : undefined;
}

function faultsOfEntry(entry: LineSettings, place: string): Faults {
  const { multiline, timezone, drop } = entry;
  return [
    multiline.mode === 'start' && multiline.start === undefined
      ? `${place}.multiline.start: is needed where the mode is start`
      : undefined,
    multiline.start === undefined ? undefined : faultOf(`${place}.multiline.start`, patternFault(multiline.start)),
    timezone === undefined || isZone(timezone)
      ? undefined
      : `${place}.timezone: this machine knows no zone ${JSON.stringify(timezone)}; it is written like Europe/Berlin`,
    ...drop.map((rule, index) => faultOfRule(rule, `${place}.drop.${index}`)),
  ];
}

/** Faults that a schema cannot see: patterns that are none or may take for ever, zones that there are none of. What the schema refuses already is left to it. */
export function settingFaults(settings: unknown): string[] {
  const { logs, redact, drop } = settings as { logs: unknown; redact: unknown; drop: unknown };
  const entries = Array.isArray(logs) ? (logs as unknown[]) : [];
  const patterns = Value.Check(redactSettings, redact) ? redact.patterns : [];
  const rules = Value.Check(DROP_RULES, drop) ? drop : [];
  const faults: Faults = [
    ...entries.flatMap((entry, index) =>
      Value.Check(LineSettings, entry) ? faultsOfEntry(entry, `logs.${index}`) : [],
    ),
    ...rules.map((rule, index) => faultOfRule(rule, `drop.${index}`)),
    ...patterns.map(({ pattern, ignoreCase }, index) =>
      faultOf(`redact.patterns.${index}.pattern`, patternFault(pattern, ignoreCase)),
    ),
  ];
  return faults.filter((fault) => fault !== undefined);
}
