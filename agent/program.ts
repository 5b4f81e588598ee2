import { completionScript, LOG_LEVELS, SHELLS, systemClock, VERSION } from '#sdk';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { addDataTools } from './commands/data-tools.ts';
import { MARK_KINDS, type MarkKind } from './anomalies/marks.ts';
import { defaultDataFolder } from './config.ts';
import { createSources, type Flags } from './sources.ts';

/** Exit code of a fault; 0 is done, 2 wrong usage. */
const FAULT = 1;

/** What the command line asks of the process that it runs in. */
export interface Host {
  env: NodeJS.ProcessEnv;
  /** Runs an agent until it is told to stop. */
  run(flags: Flags): Promise<void>;
  /** Resolves at the first signal that asks to end. */
  stopSignal(): Promise<void>;
  standardInput(): Promise<string>;
}

const EXIT_OF_STATUS = `
Ends with 0 when the agent runs with the settings file as it is; with 1 when no agent runs, and when the file on the disk has a fault, for which
the agent goes on with what it read before. With --alive only whether it runs counts, as for a probe that would restart it.

Example:
  outrider-agent status --json
`;

const ABOUT_ROTATION = `
Nothing is written to your log files and nothing is sent. Each rehearsal writes files that the globs of an entry of logs would take into a scratch
folder (outrider-rehearsal-… in TMPDIR, else in /tmp), which is removed at its end and at Ctrl-C. How far it is is told on standard error. An entry
takes about half a minute. With start: end, what is written while no agent runs is left out and not lost.

Example:
  outrider-agent test rotation
`;

const ABOUT_LINES = `
A test file (YAML with tests:) is compared with what it expects. Any other file is a plain log: its lines, at most 10 MB of them, go through the settings of
its entry of logs, the events are printed as they would leave this machine, and nothing is compared.

Examples:
  outrider-agent test lines deploy/agent-log-tests.yaml
  outrider-agent test lines /var/log/syslog
`;

const EXIT_OF_CHECK = `
Ends with 0 when the settings are valid, warnings or not; with 1 when one is faulty, and with --strict when there is a warning.

Example:
  outrider-agent check-config --config ./outrider-agent.yaml --strict
`;

const ABOUT_TEMPLATES = `
A template is what lines have in common, with a typed wildcard for each value: connection from <ip> port <num>. They are found in one pass, with the
agent's own miner as it is set by default; nothing is sent, and the memory that it takes does not grow with the file. A line's row shows what its template
has become by the end of the file. A line of a log counts as it stands, with the time and level at its beginning; of a CSV file one column is read.

Examples:
  outrider-agent templates /var/log/syslog --summary
  outrider-agent templates app.csv --column Content --plain --out templates.csv
  journalctl -o cat | outrider-agent templates - --json
`;

const example = (line: string): string => `\nExample:\n  outrider-agent ${line}\n`;

const repeated = (text: string, all: string[] = []): string[] => [...all, text];

function label(text: string, all: string[] = []): string[] {
  if (!/^[^=\s]+=/.test(text)) throw new InvalidArgumentError('A label is written key=value.');
  return [...all, text];
}

const flagsOf = (command: Command): Flags => command.optsWithGlobals<Flags>();

/** Commands about what waits on the disk. */
function addSpoolCommands(program: Command, { env }: Host): void {
  const { folderOf } = createSources(env);
  const spool = program.command('spool').description('look into the spool, and send again what no hub took');
  spool
    .command('show')
    .description('say what waits in the spool and what lies in the quarantine; the agent may be running')
    .addHelpText('after', example('spool show'))
    .option('--json', 'print it as JSON')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { showSpool } = await import('./commands/spool.ts');
      process.stdout.write(showSpool(await folderOf(flags), flags.json ?? false));
    });
  spool
    .command('replay')
    .description('send batches of the quarantine again, as new ones; the agent may be running')
    .argument('[id...]', 'batches, as spool show names them')
    .option('--all', 'all of them')
    .addHelpText('after', example('spool replay --all'))
    .action(async (ids: string[], _options, command: Command) => {
      const flags = flagsOf(command);
      const { replayBatches } = await import('./commands/spool.ts');
      process.stdout.write(await replayBatches(await folderOf(flags), { ids, all: flags.all ?? false }));
    });
}

/** Commands by which an agent does its work. */
function addWork(program: Command, { env, run, standardInput }: Host): void {
  const { load, folderOf } = createSources(env);
  program
    .command('run')
    .description('collect and send until told to stop')
    .option('--quiet', 'write no log to the terminal')
    .option('--log-file <glob>', 'follow these files instead of those in the settings, repeatable', repeated)
    .addHelpText('after', example('run --data ./data --log-file "/srv/app/*.log"'))
    .action((_options, command: Command) => run(flagsOf(command)));
  program
    .command('enroll')
    .description('join a hub with a join token, given on standard input or in OUTRIDER_JOIN_TOKEN')
    .option('--label <key=value>', 'label for this host beside those in the settings, repeatable', label)
    .option('--force', 'join anew, as another agent, where one has joined already')
    .option('--ca <file>', 'authority of your own that certified a proxy before the hub, PEM')
    .addHelpText('after', example('enroll --label role=web < join-token'))
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { enroll, readAuthority } = await import('./commands/enroll.ts');
      const token = env['OUTRIDER_JOIN_TOKEN'] ?? (await standardInput());
      process.stdout.write(
        await enroll({
          dataFolder: await folderOf(flags),
          token: token.trim(),
          labels: (await load(flags)).settings.labels,
          force: flags.force ?? false,
          trusted: flags.ca === undefined ? undefined : readAuthority(flags.ca),
          env,
        }),
      );
    });
}

/** Commands by which a person looks how an agent does. */
function addLooks(program: Command, { env }: Host): void {
  const { load, tolerant, overridesOf } = createSources(env);
  program
    .command('status')
    .description('say how the agent of this machine is doing')
    .addHelpText('after', EXIT_OF_STATUS)
    .option('--alive', 'end with 0 as long as the agent runs, also where its settings file has a fault')
    .option('--json', 'print it as JSON')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { describeStatus } = await import('./commands/status.ts');
      const { loaded, faults } = await tolerant(flags);
      const how = { json: flags.json ?? false, nowMs: systemClock.now(), now: { file: loaded.file, faults } };
      const { text, running, isInForce } = describeStatus(loaded.settings.data, how);
      process.stdout.write(text);
      if (!running || (!isInForce && flags.alive !== true)) process.exitCode = FAULT;
    });
  program
    .command('top')
    .description('show this machine and its agent live in the terminal; q quits')
    .addHelpText('after', example('top'))
    .action(async (_options, command: Command) => {
      const { showTop } = await import('./commands/top.ts');
      const { loaded, faults } = await tolerant(flagsOf(command));
      const { settings, file } = loaded;
      await showTop({ settings, file, faults }, { input: process.stdin, output: process.stdout });
    });
  program
    .command('flare')
    .description('write a bundle for support: status, settings, own log, spool, a collection; secrets are replaced')
    .option('--out <file>', 'where to write it (default: outrider-flare-HOST-TIME.tar.gz here)')
    .addHelpText('after', example('flare --out ./flare.tar.gz'))
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { writeFlare } = await import('./commands/flare.ts');
      const { loaded, faults } = await tolerant(flags);
      const given = { loaded, faults, out: flags.out, nowMs: systemClock.now(), env, flags: overridesOf(flags) };
      process.stdout.write(await writeFlare({ dataFolder: loaded.settings.data, ...given }));
    });
  program
    .command('collect')
    .description('run the collectors for a second, print what they say, and send nothing')
    .addHelpText('after', example('collect --json'))
    .option('--once', 'do so once and end: the only way there is, and the default')
    .option('--json', 'print it as JSON')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { collectOnce } = await import('./commands/collect.ts');
      process.stdout.write(await collectOnce((await load(flags)).settings, flags.json ?? false));
    });
}

/** Commands that say what the settings are. */
function addSettings(program: Command, { env }: Host): void {
  const { load, overridesOf } = createSources(env);
  program
    .command('check-config')
    .description(
      'check every setting, print all faults at once, warn of what has no effect, and say which files would be read',
    )
    .option('--strict', 'end with 1 also when there are only warnings')
    .option('--json', 'print it as JSON')
    .addHelpText('after', EXIT_OF_CHECK)
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { describeSettings, faultsAsJson } = await import('./commands/check-config.ts');
      const loaded = await load(flags).catch((error: unknown) => {
        const { facts } = error as { facts?: { faults?: string[] } };
        if (flags.json !== true || facts?.faults === undefined) throw error;
        process.stdout.write(faultsAsJson(facts.faults));
        process.exitCode = FAULT;
      });
      if (loaded === undefined) return;
      const { text, warnings } = await describeSettings(loaded, { env, json: flags.json ?? false });
      process.stdout.write(text);
      if (flags.strict === true && warnings > 0) process.exitCode = FAULT;
    });
  program
    .command('print-config')
    .description('print every setting in force and where it comes from; secrets are not shown')
    .addHelpText('after', example('print-config --json'))
    .option('--json', 'print it as JSON')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { printSettings } = await import('./commands/print-config.ts');
      const how = { env, flags: overridesOf(flags), json: flags.json ?? false };
      process.stdout.write(await printSettings(await load(flags), how));
    });
}

/** Commands that say or try out what the settings mean for log files. */
function addLogTools(program: Command, { env, stopSignal }: Host): void {
  const { load, tolerant } = createSources(env);
  program
    .command('explain')
    .argument('<file>', 'the log file, or the word journal for systemd’s journal')
    .description(
      'say why a log file is read or is not, by which entry of logs, and how far; ends with 1 when it is not',
    )
    .addHelpText('after', example('explain /var/log/syslog'))
    .option('--json', 'print it as JSON')
    .action(async (file: string, _options, command: Command) => {
      const flags = flagsOf(command);
      const { describeFile } = await import('./commands/explain.ts');
      const { loaded, faults } = await tolerant(flags);
      const how = { json: flags.json ?? false, nowMs: systemClock.now(), faults };
      const { text, isRead } = describeFile(loaded, file, how);
      process.stdout.write(text);
      if (!isRead) process.exitCode = FAULT;
    });
  const test = program.command('test').description('try the settings out; nothing is sent');
  test
    .command('lines')
    .argument('<file...>', 'test files (example: deploy/agent-log-tests.yaml), or plain logs')
    .description('run lines through the settings of logs and compare the events; ends with 1 when one differs')
    .addHelpText('after', ABOUT_LINES)
    .option('--json', 'print it as JSON')
    .action(async (paths: string[], _options, command: Command) => {
      const flags = flagsOf(command);
      const { describeLines, runLines } = await import('./commands/test-lines.ts');
      const { tests, logs } = runLines(await load(flags), paths);
      process.stdout.write(describeLines({ tests, logs }, flags.json ?? false));
      if (tests.some(({ passed }) => !passed)) process.exitCode = FAULT;
    });
  test
    .command('rotation')
    .description(
      'rehearse rotations with the agent’s own tailer and spool; ends with 1 when a line is lost, doubled or torn',
    )
    .addHelpText('after', ABOUT_ROTATION)
    .option('--json', 'print it as JSON')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { describeRotations, progressOn } = await import('./commands/test-rotation.ts');
      const ending = new AbortController();
      void stopSignal().then(() => ending.abort());
      const how = { clock: systemClock, signal: ending.signal, progress: progressOn(process.stderr) };
      const { text, isFine } = await describeRotations((await load(flags)).settings, {
        ...how,
        json: flags.json ?? false,
      });
      process.stdout.write(text);
      if (!isFine) process.exitCode = FAULT;
    });
}

function addTemplates(program: Command): void {
  program
    .command('templates')
    .argument('<file>', 'a log file, a .csv file, or - for standard input')
    .description('find the templates of a file’s lines, and write a row for each line: LineId, EventId, EventTemplate')
    .option('--column <name>', 'read it as CSV, and take this column (default for .csv: Content)')
    .option('--out <file>', 'where to write it (default: standard output)')
    .option('--plain', 'write every wildcard as <*>')
    .option(
      '--summary',
      'write each template once: its lines, the first and the last, an example; the most frequent first',
    )
    .option('--json', 'write JSON: an object a line, or with --summary one document')
    .addHelpText('after', ABOUT_TEMPLATES)
    .action(async (file: string, _options, command: Command) => {
      const { column, out, plain = false, summary = false, json = false } = flagsOf(command);
      const { writeTemplates } = await import('./commands/templates.ts');
      await writeTemplates(
        { file, column: column ?? (file.endsWith('.csv') ? 'Content' : undefined), out, plain, summary, json },
        { input: process.stdin, output: process.stdout, progress: process.stderr.isTTY ? process.stderr : undefined },
      );
    });
}

/** Commands that say what is done to this host. */
function addMarks(program: Command, { env }: Host): void {
  const { folderOf } = createSources(env);
  const mark = program
    .command('mark')
    .description('say that something is done to this host, so that what it stirs up is told with its cause');
  const kind = () => new Argument('<kind>', 'what it is').choices(MARK_KINDS);
  mark
    .command('begin')
    .addArgument(kind())
    .argument('<name>', 'which one, as a person knows it')
    .option('--for <time>', 'how long it takes: 90s, 10m, 2h; until mark end unless given')
    .description('say that it begins')
    .addHelpText('after', example('mark begin deploy "shop 4.2" --for 10m'))
    .action(async (what: MarkKind, name: string, _options, command: Command) => {
      const flags = flagsOf(command);
      const { beginMark } = await import('./commands/mark.ts');
      process.stdout.write(beginMark(await folderOf(flags), { kind: what, name, for: flags.for }, systemClock.now()));
    });
  mark
    .command('end')
    .addArgument(kind())
    .argument('<name>', 'the name that it began with')
    .description('say that it is done')
    .addHelpText('after', example('mark end deploy "shop 4.2"'))
    .action(async (what: MarkKind, name: string, _options, command: Command) => {
      const { endMark } = await import('./commands/mark.ts');
      process.stdout.write(endMark(await folderOf(flagsOf(command)), { kind: what, name }, systemClock.now()));
    });
  mark
    .command('list')
    .option('--json', 'print them as JSON')
    .description('print what was marked in the last day')
    .addHelpText('after', example('mark list'))
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { listMarks } = await import('./commands/mark.ts');
      process.stdout.write(listMarks(await folderOf(flags), flags.json ?? false));
    });
}

function addCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .description('print a completion script for a shell')
    .addHelpText('after', example('completion bash > /etc/bash_completion.d/outrider-agent'))
    .action((shell: string) => void process.stdout.write(completionScript(program, shell)));
}

/** Makes the command line. */
export function createProgram(host: Host): Command {
  const program = new Command('outrider-agent')
    .description('Collects this machine’s metrics and logs and sends them to a hub.')
    .version(VERSION)
    .option('--config <file>', 'settings file (default: outrider-agent.yaml in the data folder, else in /etc/outrider)')
    .option('--data <folder>', `data folder (default: ${defaultDataFolder()})`)
    .addOption(new Option('--log-level <level>', 'least level to log').choices(LOG_LEVELS))
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(outrider-agent --help lists the commands)')
    .exitOverride();
  addWork(program, host);
  addLooks(program, host);
  addSettings(program, host);
  addLogTools(program, host);
  addDataTools(program);
  addTemplates(program);
  addMarks(program, host);
  addSpoolCommands(program, host);
  addCompletion(program);
  return program;
}
