// What the models find on public data, in one table beside the records.
//   main.ts FOLDER [OUT]    FOLDER has a folder for each set (hosts, log-sequences, loghub, nab); OUT gets the scores of each series
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeHosts, evaluateHosts, onMachine } from './hosts.ts';
import { describeLogs, evaluateLogs } from './logs.ts';
import { describeNab, judgeNab, nabFigures } from './nab.ts';
import { evaluateSequences, sequenceLines } from './sequences.ts';
import { ofHosts, ofLogs, ofNab, ofSequences, tableOf, type Finding } from './summary.ts';

interface Judged {
  text: string;
  findings: Finding[];
}

const [folder, out] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  process.stderr.write('Name the folder that the sets were unpacked into: make eval DATA=FOLDER\n');
  process.exit(2);
}
/** One set a line: its folder, and what is found there, in words and for the table at the end. */
const SETS: readonly [name: string, judge: (set: string) => Judged | Promise<Judged>][] = [
  [
    'hosts',
    async (set) => {
      const sets = await evaluateHosts(set, { onMachine });
      return { text: describeHosts(sets), findings: ofHosts(sets) };
    },
  ],
  [
    'log-sequences',
    (set) => {
      const figures = evaluateSequences(set);
      return { text: sequenceLines(figures).join('\n'), findings: ofSequences(figures) };
    },
  ],
  [
    'loghub',
    (set) => {
      const results = evaluateLogs(set);
      return { text: describeLogs(results), findings: ofLogs(results) };
    },
  ],
  [
    'nab',
    (set) => {
      const ours = judgeNab(set, out === undefined ? undefined : join(out, 'nab'));
      return { text: describeNab(set, ours), findings: ofNab(nabFigures(ours)) };
    },
  ],
];
const findings: Finding[] = [];
let found = 0;
for (const [name, judge] of SETS) {
  const set = join(folder, name);
  if (!existsSync(set)) continue;
  found += 1;
  const judged = await judge(set);
  process.stdout.write(`${judged.text}\n`);
  findings.push(...judged.findings);
}
if (found > 0) process.stdout.write(`\n${tableOf(findings)}\n`);
else {
  process.stderr.write(`${folder} has none of the sets ${SETS.map(([name]) => name).join(', ')}.\n`);
  process.exit(1);
}
