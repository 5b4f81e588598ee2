import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  byPosition,
  checkSettings,
  invalidSettings,
  placeName,
  placeOf,
  readSettingsFile,
  reasonOf,
  systemClock,
} from '#sdk';
import { Type, type Static } from 'typebox';
import { logSetsOf, type AgentSettings } from '../config.ts';
import {
  createSourceOf,
  LEVEL_NAMES,
  lineSettings,
  nameOfLevel,
  settingsByPath,
  type SourceEvent,
} from '../lines/index.ts';
import { createRedactor } from '../redact/index.ts';
import { settingFaults } from '../setting-faults.ts';

/** An input is no larger than this, bytes. */
export const INPUT_BYTES = 10_000_000;

const Expected = Type.Object(
  {
    text: Type.Optional(Type.String({ description: 'The text as it leaves the host.' })),
    level: Type.Optional(Type.Enum([...LEVEL_NAMES, 'unknown'], { description: 'Its level.' })),
    time: Type.Optional(Type.String({ description: 'Its time, as ISO 8601 in UTC with milliseconds.' })),
    format: Type.Optional(Type.String({ description: 'What the line was taken for.' })),
    redacted: Type.Optional(Type.Array(Type.String(), { description: 'Kinds of what was replaced, in their order.' })),
    dropped: Type.Optional(Type.String({ description: 'The rule that leaves it out.' })),
  },
  { additionalProperties: false },
);

const Case = Type.Object(
  {
    name: Type.String({ description: 'What is tested.' }),
    path: Type.Optional(Type.String({ description: 'A file whose entry of `logs` says how the input is read.' })),
    settings: Type.Optional(
      Type.Object(lineSettings, { description: 'Settings of its own instead.', additionalProperties: false }),
    ),
    input: Type.Optional(Type.String({ description: 'Lines as they stand in the file.' })),
    inputFile: Type.Optional(Type.String({ description: 'A file that holds them, beside this one.' })),
    now: Type.Optional(Type.String({ description: 'When the lines are read, as ISO 8601; now unless given.' })),
    expect: Type.Array(Expected, { description: 'The events, in their order; what is not named is not compared.' }),
  },
  { additionalProperties: false },
);
const TestFile = Type.Object({ tests: Type.Array(Case, { minItems: 1 }) }, { additionalProperties: false });

/** What is known of an event. */
export type EventFacts = Required<Omit<Static<typeof Expected>, 'dropped'>> & { dropped?: string };

/** What became of one case. */
export interface CaseResult {
  file: string;
  /** Where the case begins in it. */
  line: number | undefined;
  name: string;
  passed: boolean;
  /** One sentence each. */
  differences: string[];
  events: EventFacts[];
}

/** The events that lines become; with settings of their own, or those of the entry of `logs` that names their path. */
export function eventsOf(
  settings: AgentSettings,
  test: Pick<Static<typeof Case>, 'path' | 'settings' | 'now'>,
  input: Buffer,
): EventFacts[] {
  const events: EventFacts[] = [];
  const lines = test.settings ?? settingsByPath(logSetsOf(settings))(test.path ?? '');
  const take = (event: SourceEvent): void => {
    events.push({
      text: event.bytes.toString('utf8', event.start, event.end),
      level: nameOfLevel(event.level),
      time: new Date(event.timeMs).toISOString(),
      format: event.format,
      redacted: [...event.redacted],
      ...(event.dropped === undefined ? {} : { dropped: event.dropped }),
    });
  };
  const given = { settings: lines, redactor: createRedactor(settings.redact), take };
  const source = createSourceOf(test.path ?? '', given);
  const nowMs = test.now === undefined ? systemClock.now() : Date.parse(test.now);
  source.split(input, { cut: false, isEnd: true, nowMs });
  return events;
}

function differencesOf(expected: readonly Static<typeof Expected>[], events: readonly EventFacts[]): string[] {
  const count =
    expected.length === events.length ? [] : [`${events.length} events came, ${expected.length} are expected`];
  const facts = Array.from({ length: Math.max(expected.length, events.length) }, (_, index) => {
    const [wanted, found] = [expected[index], events[index]];
    const place = `event ${index + 1}`;
    if (found === undefined) return [`${place} is missing: ${JSON.stringify(wanted)}`];
    if (wanted === undefined) return [`${place} is one too many: ${JSON.stringify(found)}`];
    const rest = found.dropped !== undefined && wanted.dropped === undefined ? { ...wanted, dropped: null } : wanted;
    return Object.entries(rest).flatMap(([fact, value]) => {
      const actual = found[fact as keyof EventFacts] ?? null;
      return isDeepStrictEqual(actual, value)
        ? []
        : [`${place}: ${fact}\n    - ${JSON.stringify(value)}\n    + ${JSON.stringify(actual)}`];
    });
  });
  return [...count, ...facts.flat()];
}

/** A case, with its place in its file. */
interface PlacedCase {
  test: Static<typeof Case>;
  file: string;
  /** Such as `tests.0`. */
  place: string;
}

/** The lines of a case, or why there are none. */
function inputOf({ test: { input, inputFile, now }, file, place }: PlacedCase, faults: string[]): Buffer {
  const fault = (what: string): Buffer => {
    faults.push(`${place}${what}`);
    return Buffer.alloc(0);
  };
  if ((input === undefined) === (inputFile === undefined))
    return fault(`: ${input === undefined ? 'has no input' : 'has two inputs'}; give either input or inputFile`);
  if (now !== undefined && Number.isNaN(Date.parse(now)))
    return fault('.now: is no time; write it like 2026-01-31T12:00:00Z');
  if (input !== undefined) return Buffer.from(input);
  const path = resolve(dirname(file), inputFile ?? '');
  try {
    return statSync(path).size > INPUT_BYTES ? fault(`.inputFile: ${path} is larger than 10 MB`) : readFileSync(path);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return fault(`.inputFile: ${path} ${isMissing ? 'is not there' : `cannot be read (${reasonOf(error)})`}`);
  }
}

/** The cases of a test file with their lines in it; each fault goes to `faults` with file and line. */
function casesOf(file: string, faults: string[]): (PlacedCase & { line: number | undefined; input: Buffer })[] {
  const ofFile: string[] = [];
  const read = readSettingsFile(file, ofFile);
  if (ofFile.length > 0) {
    faults.push(...ofFile);
    return [];
  }
  const own: string[] = [];
  const { tests } = checkSettings(TestFile, read.tree, own);
  const cases = own.length > 0 ? [] : tests.map((test, index) => ({ test, file, place: `tests.${index}` }));
  const placed = cases.map((one) => {
    const { place, test } = one;
    const ofSettings = settingFaults({ logs: test.settings === undefined ? [] : [test.settings] });
    own.push(...ofSettings.map((fault) => fault.replace(/^logs\.0/, `${place}.settings`)));
    return { ...one, line: read.lineOf(place.split('.')), input: inputOf(one, own) };
  });
  const told = own.map((fault) => ({ at: read.positionOf(placeOf(fault)), fault: fault.replace(/^settings: /, '') }));
  told.sort((a, b) => byPosition(a.at, b.at));
  faults.push(...told.map(({ at, fault }) => `${at === undefined ? file : placeName(file, at)}: ${fault}`));
  return placed;
}

/** Runs the cases of test files through the very code that reads logs. Throws one Problem that lists every fault of the files. */
export function runTests(settings: AgentSettings, files: readonly string[]): CaseResult[] {
  const faults: string[] = [];
  const cases = files.flatMap((file) => casesOf(file, faults));
  if (faults.length > 0) throw invalidSettings(faults);
  return cases.map(({ file, line, test, input }) => {
    const events = eventsOf(settings, test, input);
    const differences = differencesOf(test.expect, events);
    return { file, line, name: test.name, passed: differences.length === 0, differences, events };
  });
}

/** Says what became of the cases. */
export function describeTests(results: readonly CaseResult[]): string {
  const failed = results.filter(({ passed }) => !passed).length;
  return [
    ...results.flatMap(({ file, line, name, passed, differences }) => [
      passed ? `ok     ${name}` : `FAILED ${name} (${file}:${line ?? 1})`,
      ...differences.map((difference) => `  ${difference}`),
    ]),
    failed === 0 ? `${results.length} passed` : `${failed} of ${results.length} failed`,
    '',
  ].join('\n');
}
