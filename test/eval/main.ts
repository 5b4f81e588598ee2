// What the models find on public data, in one table beside the records.
//   main.ts FOLDER [OUT]    FOLDER has a folder for each set (hosts, log-sequences, loghub, nab); OUT gets the scores of each series
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeHosts } from './hosts.ts';
import { describeLogs, evaluateLogs } from './logs.ts';
import { describeNab } from './nab.ts';
import { evaluateSequences, sequenceLines } from './sequences.ts';

const [folder, out] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  process.stderr.write('Name the folder that the sets were unpacked into: make eval DATA=FOLDER\n');
  process.exit(2);
}
/** One set a line: its folder, and what to do with it. */
const SETS: readonly [name: string, describe: (folder: string) => string | Promise<string>][] = [
  ['hosts', describeHosts],
  ['log-sequences', (set) => sequenceLines(evaluateSequences(set)).join('\n')],
  ['loghub', (set) => describeLogs(evaluateLogs(set))],
  ['nab', (set) => describeNab(set, out === undefined ? undefined : join(out, 'nab'))],
];
let found = 0;
for (const [name, describe] of SETS) {
  const set = join(folder, name);
  if (!existsSync(set)) continue;
  found += 1;
  process.stdout.write(`${await describe(set)}\n`);
}
if (found === 0) {
  process.stderr.write(`${folder} has none of the sets ${SETS.map(([name]) => name).join(', ')}.\n`);
  process.exit(1);
}
