import type { Level } from '#proto/agent/v1/index.ts';
import { levelOfSeverity, type LineAttributes, type LineEntry } from '../lines/index.ts';

/** An entry of the journal. */
export interface JournalEntry {
  cursor: string;
  /** `journal:UNIT`, the name under which its line is known. */
  source: string;
  unit: string;
  line: LineEntry;
}

/** The fields that are asked for, so that an entry is no larger than it must be. */
export const FIELDS = [
  'MESSAGE',
  'PRIORITY',
  '_PID',
  '_SYSTEMD_UNIT',
  'UNIT',
  'SYSLOG_IDENTIFIER',
  '_TRANSPORT',
  '_HOSTNAME',
] as const;

const NAME_LENGTH = 200;
/** Sets of attributes that are kept to be used again. */
const SETS = 1000;
const known = new Map<string, LineAttributes>();

/** A field as text; the first one where there are several. */
function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) && typeof value[0] === 'string' ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

/** A message is a text, or the bytes of what is none. */
function messageOf(value: unknown): Buffer {
  if (Array.isArray(value) && value.every((byte) => Number.isInteger(byte))) return Buffer.from(value as number[]);
  if (Array.isArray(value) && Array.isArray(value[0])) return messageOf(value[0]);
  return Buffer.from(textOf(value) ?? '');
}

/** Sessions and programs that were run once are units without end: those of one kind are one source. */
function unitOf(fields: Record<string, unknown>): string {
  // What systemd says of a unit belongs to that.
  const told = textOf(fields['_PID']) === '1' ? textOf(fields['UNIT']) : undefined;
  const unit =
    told ??
    textOf(fields['_SYSTEMD_UNIT']) ??
    (textOf(fields['_TRANSPORT']) === 'kernel' ? 'kernel' : (textOf(fields['SYSLOG_IDENTIFIER']) ?? 'others'));
  return unit.replace(/^(session|run)-.*\.(scope|service)$/, '$1.$2').slice(0, NAME_LENGTH);
}

/** What a service printed has no severity of its own but this one: its text may say more. */
function levelOf(fields: Record<string, unknown>): Level | undefined {
  const priority = textOf(fields['PRIORITY']) ?? '';
  if (priority === '' || (priority === '6' && textOf(fields['_TRANSPORT']) === 'stdout')) return undefined;
  return levelOfSeverity(Number(priority));
}

function attributesOf(fields: Record<string, unknown>): LineAttributes {
  const named = {
    'host.name': textOf(fields['_HOSTNAME']),
    'journald.transport': textOf(fields['_TRANSPORT']),
    'syslog.appname': textOf(fields['SYSLOG_IDENTIFIER']),
  };
  const entries = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value.slice(0, NAME_LENGTH)] as const],
  );
  const key = JSON.stringify(entries);
  const attributes = known.get(key) ?? Object.fromEntries(entries);
  if (known.size < SETS) known.set(key, attributes);
  return attributes;
}

/** Reads one line of `journalctl -o json`; undefined when it is none. */
export function readEntry(line: string): JournalEntry | undefined {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return undefined; // Half a line, of a journalctl that was killed.
  }
  if (typeof found !== 'object' || found === null) return undefined;
  const fields = found as Record<string, unknown>;
  const cursor = textOf(fields['__CURSOR']);
  if (cursor === undefined) return undefined;
  const unit = unitOf(fields);
  const timeMs = Math.floor(Number(textOf(fields['__REALTIME_TIMESTAMP'])) / 1000);
  return {
    cursor,
    source: `journal:${unit}`,
    unit,
    line: {
      text: messageOf(fields['MESSAGE']),
      timeMs: Number.isFinite(timeMs) ? timeMs : undefined,
      level: levelOf(fields),
      cut: false,
      attributes: attributesOf(fields),
    },
  };
}

/** When the entry of a cursor was written, milliseconds since 1970; undefined when it does not say so. */
export function timeOfCursor(cursor: string): number | undefined {
  const [, micros] = /(?:^|;)t=([0-9a-f]{1,16})(?:;|$)/.exec(cursor) ?? [];
  return micros === undefined ? undefined : Math.floor(Number.parseInt(micros, 16) / 1000);
}
