import { closeSync, openSync, readSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { readSettingsFile } from '#sdk';
import { logSetsOf, type LoadedSettings } from '../config.ts';
import { settingsByPath } from '../lines/index.ts';
import { problems } from '../errors.ts';
import { entriesFor, entryName } from './explain-entries.ts';
import { describeTests, eventsOf, INPUT_BYTES, runTests, type CaseResult, type EventFacts } from './test.ts';

/** What became of the lines of a plain log. */
interface LogResult {
  file: string;
  /** The entry of `logs` that was used; undefined where none names it, and defaults were used. */
  entry: string | undefined;
  events: EventFacts[];
  /** Only so much of the file was read, bytes. */
  bytes: number;
}

/** What became of all files. */
export interface LinesResult {
  tests: CaseResult[];
  logs: LogResult[];
}

/** True of a file that is meant to hold tests: by its name, or because it does. */
const holdsTests = (path: string): boolean =>
  ['.yaml', '.yml'].includes(extname(path)) || Object.hasOwn(readSettingsFile(path, []).tree, 'tests');

/** The first bytes of a log. */
function beginningOf(path: string): Buffer {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(INPUT_BYTES);
      return bytes.subarray(0, readSync(file, bytes, 0, INPUT_BYTES, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw problems.notReadable(`${path} ${isMissing ? 'is not there' : 'is no file that you may read'}.`, {
      cause: error,
    });
  }
}

function runLog(loaded: Pick<LoadedSettings, 'settings' | 'file'>, file: string): LogResult {
  const path = resolve(file);
  const input = beginningOf(path);
  const { counts } = entriesFor(loaded, path);
  const settings = settingsByPath(logSetsOf(loaded.settings))(path);
  const entry = counts === undefined ? undefined : entryName(counts);
  return { file: path, entry, events: eventsOf(loaded.settings, { path, settings }, input), bytes: input.length };
}

/** Runs test files, and plain logs beside them. Throws one Problem that lists every fault of the test files. */
export function runLines(loaded: Pick<LoadedSettings, 'settings' | 'file'>, files: readonly string[]): LinesResult {
  const isTest = new Map(files.map((file) => [file, holdsTests(file)]));
  return {
    tests: runTests(
      loaded.settings,
      files.filter((file) => isTest.get(file) === true),
    ),
    logs: files.filter((file) => isTest.get(file) === false).map((file) => runLog(loaded, file)),
  };
}

function describeLog({ file, entry, events, bytes }: LogResult): string {
  const dropped = events.filter((event) => event.dropped !== undefined).length;
  const cut = bytes === INPUT_BYTES ? ' the first 10 MB of it' : '';
  return [
    `${file} is a plain log and no test file: nothing is compared.`,
    `Its lines went${cut === '' ? '' : `,${cut},`} through ${entry ?? 'the defaults, because no entry of logs names it'}; ${events.length} events came, ${dropped} of them are dropped by a rule:`,
    ...events.map(
      ({ time, level, text, dropped: rule }) =>
        `  ${time} ${level.padEnd(7)} ${rule === undefined ? '' : `[dropped by ${rule}] `}${text}`,
    ),
    '',
  ].join('\n');
}

/** Says what became of the lines, in words or as JSON. */
export function describeLines({ tests, logs }: LinesResult, json: boolean): string {
  // Without plain logs, the list of cases as it has always been.
  if (json) return `${JSON.stringify(logs.length === 0 ? tests : { tests, logs }, null, 2)}\n`;
  return logs.map(describeLog).join('') + (tests.length === 0 ? '' : describeTests(tests));
}
