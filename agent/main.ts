import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import {
  completionScript,
  LOG_LEVELS,
  outliveReaders,
  Problem,
  reasonOf,
  SHELLS,
  systemClock,
  terminalSink,
  VERSION,
  type Settings,
} from '#sdk';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { defaultDataFolder, settingsFile, type LoadedSettings } from './config.ts';
import { INVENTORY_COMMAND } from './inventory/command.ts';
import { proxyVariables } from './link/proxy.ts';
import type { Pushed } from './pushed/index.ts';

/** Exit codes: 0 done, 1 a fault, 2 wrong usage. */
const FAULT = 1;
const USAGE = 2;

const EXIT_OF_CHECK = `
Ends with 0 when the settings are valid, warnings or not; with 1 when one is faulty, and with --strict when there is a warning.

Example:
  outrider-agent check-config --config ./outrider-agent.yaml --strict
`;

const example = (line: string): string => `\nExample:\n  outrider-agent ${line}\n`;

interface Flags {
  config?: string;
  data?: string;
  logLevel?: string;
  logFile?: string[];
  label?: string[];
  quiet?: boolean;
  json?: boolean;
  force?: boolean;
  strict?: boolean;
  all?: boolean;
  ca?: string;
  out?: string;
}

function labelsOf(texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
}

const dataOf = (flags: Flags): string => flags.data ?? process.env['OUTRIDER_DATA'] ?? defaultDataFolder();
/** The folder of the agent that is asked about: a settings file may name one too, and only `check-config` and `run` mind its other faults. */
const folderOf = async (flags: Flags): Promise<string> =>
  flags.data ?? process.env['OUTRIDER_DATA'] ?? (await load(flags)).settings.data;

/** What flags say of settings. */
const overridesOf = (flags: Flags): Settings => ({
  data: flags.data,
  ...(flags.logLevel === undefined ? {} : { log: { level: flags.logLevel } }),
  ...(flags.logFile === undefined ? {} : { logs: [{ include: flags.logFile }] }),
  ...(flags.label === undefined ? {} : { labels: labelsOf(flags.label) }),
});

/** All sources of settings; a candidate takes the place of what the hub pushed before. */
async function load(flags: Flags, candidate?: Pushed): Promise<LoadedSettings> {
  const { loadAgentSettings } = await import('./load.ts');
  const file = settingsFile(flags.config, dataOf(flags));
  return loadAgentSettings({ file, env: process.env, flags: overridesOf(flags) }, candidate);
}

/** Resolves at the first signal; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (): void => {
      if (asked) process.exit(FAULT);
      asked = true;
      resolve();
    };
    const signals = ['SIGINT', 'SIGTERM', ...(process.stderr.isTTY ? (['SIGHUP'] as const) : [])] as const;
    for (const signal of signals) process.on(signal, stop);
    // The program that started this one with a channel is gone: nobody else would stop it.
    if (process.send !== undefined && !process.connected) stop();
    else process.once('disconnect', stop);
  });
}

/** The built program that reads the inventory, or the word that makes one of the single executable; undefined when running from source. */
function inventoryEntry(): string | undefined {
  if (isSea()) return INVENTORY_COMMAND;
  const built = join(dirname(fileURLToPath(import.meta.url)), 'inventory.js');
  return existsSync(built) ? built : undefined;
}

async function runAgent(flags: Flags): Promise<void> {
  const signalled = stopSignal();
  const loaded = await load(flags);
  const { startAgent } = await import('./start.ts');
  const sinks = flags.quiet === true ? [] : [terminalSink()];
  const agent = await startAgent({
    loaded,
    load: (candidate) => load(flags, candidate),
    file: () => settingsFile(flags.config, dataOf(flags)),
    clock: systemClock,
    sinks,
    inventoryEntry: inventoryEntry(),
  });
  // At a terminal it means that the terminal has gone; changes of the file are noticed without it.
  if (!process.stderr.isTTY) process.on('SIGHUP', () => void agent.reload());
  await signalled;
  await agent.stop();
}

async function standardInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('join token: ');
  process.stdin.setEncoding('utf8');
  let text = '';
  for await (const part of process.stdin) {
    text += part;
    if (text.includes('\n') || text.length > 8192) break;
  }
  return text.trim();
}

const repeated = (text: string, all: string[] = []): string[] => [...all, text];

function label(text: string, all: string[] = []): string[] {
  if (!/^[^=\s]+=/.test(text)) throw new InvalidArgumentError('A label is written key=value.');
  return [...all, text];
}

const flagsOf = (command: Command): Flags => command.optsWithGlobals<Flags>();

/** Commands about what waits on the disk. */
function addSpoolCommands(program: Command): void {
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
function addWork(program: Command): void {
  program
    .command('run')
    .description('collect and send until told to stop')
    .option('--quiet', 'write no log to the terminal')
    .option('--log-file <glob>', 'follow these files instead of those in the settings, repeatable', repeated)
    .addHelpText('after', example('run --data ./data --log-file "/srv/app/*.log"'))
    .action((_options, command: Command) => runAgent(flagsOf(command)));
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
      const token = process.env['OUTRIDER_JOIN_TOKEN'] ?? (await standardInput());
      process.stdout.write(
        await enroll({
          dataFolder: await folderOf(flags),
          token: token.trim(),
          labels: (await load(flags)).settings.labels,
          force: flags.force ?? false,
          trusted: flags.ca === undefined ? undefined : readAuthority(flags.ca),
          env: process.env,
        }),
      );
    });
}

/** Commands by which a person looks what an agent does, or would do. */
function addLooks(program: Command): void {
  program
    .command('status')
    .description('say how the agent of this machine is doing; ends with 1 when it is not running')
    .addHelpText('after', example('status --json'))
    .option('--json', 'print it as JSON')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { describeStatus } = await import('./commands/status.ts');
      const { text, running } = describeStatus(await folderOf(flags), flags.json ?? false, Date.now());
      process.stdout.write(text);
      if (!running) process.exitCode = FAULT;
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
      const { text, warnings } = await describeSettings(loaded, { env: process.env, json: flags.json ?? false });
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
      const how = { env: process.env, flags: overridesOf(flags), json: flags.json ?? false };
      process.stdout.write(await printSettings(await load(flags), how));
    });
  program
    .command('top')
    .description('show this machine and its agent live in the terminal; q quits')
    .addHelpText('after', example('top'))
    .action(async (_options, command: Command) => {
      const { showTop } = await import('./commands/top.ts');
      await showTop((await load(flagsOf(command))).settings, { input: process.stdin, output: process.stdout });
    });
  program
    .command('flare')
    .description('write a bundle for support: status, settings, own log, a collection; secrets are replaced')
    .option('--out <file>', 'where to write it (default: outrider-flare-HOST-TIME.tar.gz here)')
    .addHelpText('after', example('flare --out ./flare.tar.gz'))
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { writeFlare } = await import('./commands/flare.ts');
      const loaded = await load(flags).catch((error: unknown) => ({ fault: reasonOf(error) }));
      const dataFolder = 'fault' in loaded ? dataOf(flags) : loaded.settings.data;
      process.stdout.write(
        await writeFlare({ dataFolder, loaded, out: flags.out, nowMs: Date.now(), env: process.env }),
      );
    });
}

/** Commands that say or try out what the settings mean for log files. */
function addLogTools(program: Command): void {
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
      const how = { json: flags.json ?? false, nowMs: Date.now() };
      const { text, isRead } = describeFile(await load(flags), file, how);
      process.stdout.write(text);
      if (!isRead) process.exitCode = FAULT;
    });
  const test = program.command('test').description('try the settings out; nothing is sent');
  test
    .command('lines')
    .argument('<file...>', 'test files: lines in, expected events out (example: deploy/agent-log-tests.yaml)')
    .description('run lines through the settings of logs and compare the events; ends with 1 when one differs')
    .addHelpText('after', example('test lines deploy/agent-log-tests.yaml'))
    .option('--json', 'print it as JSON')
    .action(async (paths: string[], _options, command: Command) => {
      const flags = flagsOf(command);
      const { describeTests, runTests } = await import('./commands/test.ts');
      const results = runTests((await load(flags)).settings, paths);
      process.stdout.write(flags.json === true ? `${JSON.stringify(results, null, 2)}\n` : describeTests(results));
      if (results.some(({ passed }) => !passed)) process.exitCode = FAULT;
    });
  test
    .command('rotation')
    .description(
      'rehearse rotations with the agent’s own tailer and spool; ends with 1 when a line is lost, doubled or torn',
    )
    .addHelpText('after', example('test rotation'))
    .option('--json', 'print it as JSON')
    .action(async (_options, command: Command) => {
      const flags = flagsOf(command);
      const { describeRotations } = await import('./commands/test-rotation.ts');
      const { text, isFine } = await describeRotations((await load(flags)).settings, systemClock, flags.json ?? false);
      process.stdout.write(text);
      if (!isFine) process.exitCode = FAULT;
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

function createProgram(): Command {
  const program = new Command('outrider-agent')
    .description('Collects this machine’s metrics and logs and sends them to a hub.')
    .version(VERSION)
    .option('--config <file>', 'settings file (default: outrider-agent.yaml in the data folder, else in /etc/outrider)')
    .option('--data <folder>', `data folder (default: ${defaultDataFolder()})`)
    .addOption(new Option('--log-level <level>', 'least level to log').choices(LOG_LEVELS))
    .showHelpAfterError('(outrider-agent --help lists the commands)')
    .exitOverride();
  addWork(program);
  addLooks(program);
  addLogTools(program);
  addSpoolCommands(program);
  addCompletion(program);
  return program;
}

/** Runs the command line to its end. */
async function main(): Promise<void> {
  outliveReaders();
  Object.assign(process.env, proxyVariables(process.env));
  try {
    await createProgram().parseAsync(process.argv);
    process.exit();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : USAGE);
    if (error instanceof Problem) process.stderr.write(`outrider-agent: ${error.message}\n`);
    else
      process.stderr.write(
        `outrider-agent: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
    process.exit(FAULT);
  }
}

// Not awaited here: the single executable is CommonJS, which has no await outside functions.
void main();
