import { systemClock } from '#sdk';
import { Option, type Command } from 'commander';
import { programEntry } from '../programs.ts';

const ABOUT_SCORE = `
FILE is a CSV file whose first column is the time (2026-05-01T12:00:00Z, the same with a space, UTC where no zone is given, or a number of
seconds, milliseconds, microseconds or nanoseconds since 1970), then one column for each metric; - is standard input. A header line is not needed. An
empty field, nan and null mean that there is no sample.

Each row of the answer has the time as it was given and a score from 0 to 1 for each metric. From 0.5 on the agent would call it an anomaly; 0.49 may
be as surprising, but repeats an anomaly just before it, or comes at this hour each day or week. The first 150 samples of a metric score 0, and a score
looks only back. One metric: timestamp,anomaly_score. More: the names of the columns as they came. With --json a line has one sample:
score, p (bound of its probability), nats (surprise before the gate), direction (1 up, -1 down), channel (what spoke), learning.

With --wide the columns are the metrics of one host and are judged together, so that each row has one score: timestamp,anomaly_score. --train names a
file of the same columns from a time when all was well; without it the first rows are learned from. A small network learns it in a process that ends: some
seconds for a day of rows. With --model linear its principal components alone judge, at once, and somewhat worse.

Ends with 0 when the whole file was scored, with 1 when a row cannot be read; a file named by --out appears only when it is whole.

Examples:
  outrider-agent score cpu.csv --out scores.csv
  outrider-agent score hosts.csv --counter bytes_sent --json | jq 'select(.score >= 0.5)'
  zcat old.csv.gz | outrider-agent score -
  outrider-agent score --wide host.csv --train last-week.csv --out scores.csv
`;

interface ScoreFlags {
  out?: string;
  json?: boolean;
  counter?: string[];
  wide?: boolean;
  train?: string;
  model: 'network' | 'linear';
}

const repeated = (text: string, all: string[] = []): string[] => [...all, text];

/** Commands for data that anyone has in files; they need no settings and no agent. */
export function addDataTools(program: Command): void {
  program
    .command('score')
    .argument('<file>', 'CSV file with timestamp,value or a column for each metric; - for standard input')
    .description('score the samples of a CSV file with the agent’s own detector, as if they came in now')
    .option('--out <file>', 'write the scores there instead of to standard output')
    .option('--counter <column>', 'this column only ever grows and is judged by its rate, repeatable', repeated)
    .option('--wide', 'judge all columns together, as the metrics of one host')
    .option('--train <file>', 'a normal past of the same columns; implies --wide')
    .addOption(
      new Option(
        '--model <kind>',
        'what learns the file of --train: a small network, or principal components alone, at once',
      )
        .choices(['network', 'linear'])
        .default('network'),
    )
    .option('--json', 'print each sample as a line of JSON, with what was found')
    .addHelpText('after', ABOUT_SCORE)
    .action(async (path: string, _options, command: Command) => {
      const { out, json, counter, wide, train, model } = command.optsWithGlobals<ScoreFlags>();
      if (train === undefined && command.getOptionValueSource('model') === 'cli')
        command.error('error: --model says what learns the file of --train, and there is none');
      const { scoreFile } = await import('./score.ts');
      const { stdin, stdout, stderr } = process;
      const entry = programEntry('training');
      const streams = { input: stdin, output: stdout, progress: stderr.isTTY ? stderr : undefined };
      const summary = await scoreFile({
        path,
        out,
        json: json ?? false,
        counters: counter ?? [],
        wide: wide ?? train !== undefined,
        train,
        training: model === 'linear' || entry === undefined ? undefined : [entry],
        note: (text) => void stderr.write(text),
        ...streams,
        clock: systemClock,
      });
      const { rows, metrics, alerts } = summary;
      if (out !== undefined)
        stderr.write(`wrote ${out}: ${rows} rows, ${metrics} metrics, ${alerts} scores of 0.5 or more\n`);
    });
}
