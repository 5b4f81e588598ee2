import {
  LOG_LEVELS,
  outliveReaders,
  Problem,
  SHELLS,
  systemClock,
  terminalSink,
  VERSION,
  type SettingSources,
  type Settings,
} from '#sdk';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { defaultDataFolder, settingsFile } from './config.ts';
import { ROLES } from './principal.ts';
import { dataFolderOf, readTarget } from './targets.ts';

/** Exit codes: 0 done, 1 a fault, 2 wrong usage. */
const FAULT = 1;
const USAGE = 2;

interface GlobalFlags {
  config?: string;
  data?: string;
  target: string;
  listen?: string;
  port?: string;
  grpcPort?: string;
  advertise?: string;
  logLevel?: string;
  quiet?: boolean;
}

function flagSettings(flags: GlobalFlags): Settings {
  return {
    data: flags.data,
    listen: flags.listen,
    port: flags.port,
    advertise: flags.advertise,
    ...(flags.grpcPort === undefined ? {} : { ingest: { port: flags.grpcPort } }),
    ...(flags.logLevel === undefined ? {} : { log: { level: flags.logLevel } }),
  };
}

function sourcesOf(flags: GlobalFlags): SettingSources {
  const data = flags.data ?? process.env['OUTRIDER_DATA'] ?? dataFolderOf(readTarget(flags.target));
  return { file: settingsFile(flags.config, data), env: process.env, flags: flagSettings(flags) };
}

/** Resolves with the signal's name; a second signal ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(FAULT);
      asked = true;
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
    // The program that started this one with a channel is gone: nobody else would stop it.
    if (process.send !== undefined && !process.connected) stop('SIGTERM');
    else process.once('disconnect', () => stop('SIGTERM'));
  });
}

async function runHub(flags: GlobalFlags): Promise<void> {
  const signalled = stopSignal();
  const { startHub } = await import('./start.ts');
  const sinks = flags.quiet === true ? [] : [terminalSink()];
  const hub = await startHub({ target: flags.target, sources: sourcesOf(flags), clock: systemClock, sinks });
  process.send?.({ ready: true, url: hub.url, firstSignIn: hub.firstSignIn });
  process.stdout.write(`ready  ${hub.url}\n`);
  if (hub.firstSignIn !== undefined) {
    process.stdout.write(`sign in as ${hub.firstSignIn.username} with password ${hub.firstSignIn.password}\n`);
  }
  const reason = await Promise.race([signalled, hub.failed]);
  await hub.stop();
  if (reason instanceof Error) throw reason;
}

interface RunFlags extends GlobalFlags {
  listTargets?: boolean;
  checkConfig?: boolean;
  printConfig?: boolean;
  json?: boolean;
}

/** Runs the hub, or answers what was asked instead. */
async function runOrPrint(flags: RunFlags): Promise<void> {
  const asJson = flags.json === true;
  if (flags.listTargets === true) {
    const { listTargets } = await import('./commands/list-targets.ts');
    process.stdout.write(await listTargets(asJson));
  } else if (flags.checkConfig === true) {
    const { checkConfig } = await import('./commands/check-config.ts');
    process.stdout.write(await checkConfig(flags.target, sourcesOf(flags)));
  } else if (flags.printConfig === true) {
    const { printConfig } = await import('./commands/print-config.ts');
    process.stdout.write(await printConfig(flags.target, sourcesOf(flags), asJson));
  } else await runHub(flags);
}

/** A target as commander checks it. */
function targetFlag(text: string): string {
  try {
    return readTarget(text).name;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** A whole number above 0, as it was typed. */
function wholeNumber(text: string): string {
  if (/^[1-9]\d{0,8}$/.test(text)) return text;
  throw new InvalidArgumentError('it must be a whole number above 0');
}

function dataOf(command: Command): string {
  const flags = command.optsWithGlobals<GlobalFlags>();
  return flags.data ?? process.env['OUTRIDER_DATA'] ?? dataFolderOf(readTarget(flags.target));
}

/** Commands that look at the settings and start nothing. */
function addLooks(program: Command): void {
  program
    .command('check-config')
    .description('check every setting and print all faults at once')
    .action((_options, command: Command) =>
      runOrPrint({ ...command.optsWithGlobals<GlobalFlags>(), checkConfig: true }),
    );
  program
    .command('doctor')
    .description('say in words what is slow, failing or near a limit; exit code 1 when something is failing')
    .option('--json', 'print it as JSON')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const { doctor } = await import('./commands/doctor.ts');
      const { text, failing } = await doctor(dataOf(command), json === true);
      process.stdout.write(text);
      if (failing) process.exitCode = FAULT;
    });
  program
    .command('print-config')
    .description('print every setting with where its value came from, secrets hidden')
    .option('--json', 'print it as JSON')
    .action((_options, command: Command) => runOrPrint({ ...command.optsWithGlobals<RunFlags>(), printConfig: true }));
  program
    .command('list-targets')
    .description('print what --target may name: its port, what it does and what it needs')
    .option('--json', 'print it as JSON')
    .action((_options, command: Command) => runOrPrint({ ...command.optsWithGlobals<RunFlags>(), listTargets: true }));
}

function addBus(program: Command): void {
  const bus = program.command('bus').description('messages between the parts of a hub');
  bus
    .command('status')
    .description('print what waits for whom, and what was put aside')
    .option('--json', 'print it as JSON')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const { busStatus } = await import('./commands/bus.ts');
      process.stdout.write(await busStatus(dataOf(command), json === true));
    });
  bus
    .command('replay')
    .description('hand out again what could not be handled and was put aside')
    .option('--subscriber <name>', 'only what this one could not handle')
    .addOption(new Option('--limit <n>', 'at most so many, the oldest first').argParser(wholeNumber).default('1000'))
    .option('--dry-run', 'only say how many')
    .option('--json', 'print it as JSON')
    .action(
      async (options: { subscriber?: string; limit: string; dryRun?: boolean; json?: boolean }, command: Command) => {
        const { busReplay } = await import('./commands/bus.ts');
        process.stdout.write(await busReplay(dataOf(command), options));
      },
    );
}

function addKeys(program: Command): void {
  const key = program.command('key').description('keys by which programs call the web API');
  key
    .command('create <name>')
    .description('print a new key; a program sends it as "Authorization: Bearer <key>"')
    .option('--user <name>', 'whose key it is; it can do no more than they can', 'admin')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).default('viewer'))
    .addOption(new Option('--days <n>', 'days until it ends (default: it does not)').argParser(wholeNumber))
    .option('--json', 'print the whole answer as JSON')
    .action(
      async (
        name: string,
        options: { user: string; role: string; days?: string; json?: boolean },
        command: Command,
      ) => {
        const { createKey } = await import('./commands/key.ts');
        process.stdout.write(await createKey(dataOf(command), name, options));
      },
    );
}

function addCommands(program: Command): void {
  program
    .command('run', { isDefault: true })
    .description('run the hub until it is told to stop (the default)')
    .option('--quiet', 'write no log to the terminal')
    .option('--list-targets', 'print the targets and end, as list-targets does')
    .option('--check-config', 'check every setting and end, as check-config does')
    .option('--print-config', 'print every setting and end, as print-config does')
    .allowExcessArguments() // A misspelt command comes here, as an argument of the default one.
    .action((_options, command: Command) => {
      const [word] = command.args;
      if (word === undefined) return runOrPrint(command.optsWithGlobals<RunFlags>());
      const isExplicit = program.args[0] === command.name();
      return command.error(isExplicit ? `error: run takes no argument '${word}'` : `error: unknown command '${word}'`);
    });
  program
    .command('openapi')
    .description('print the OpenAPI 3.1 document of the web API')
    .action(async () => {
      const { printOpenApi } = await import('./commands/openapi.ts');
      process.stdout.write(await printOpenApi());
    });
  const token = program.command('token').description('join tokens for new agents');
  token
    .command('create')
    .description('print a new join token; give it to outrider-agent enroll on standard input')
    .option('--uses <n>', 'how many agents may use it', '1')
    .option('--expires <hours>', 'hours until it ends', '24')
    .option(
      '--label <key=value>',
      'label for its agents, repeatable',
      (text: string, all: string[]) => [...all, text],
      [],
    )
    .option('--ephemeral', 'its hosts come and go: no alert when they are silent, removed after two weeks of it')
    .option('--json', 'print the whole answer as JSON')
    .action(
      async (
        options: { uses: string; expires: string; label: string[]; ephemeral?: boolean; json?: boolean },
        command: Command,
      ) => {
        const { createToken } = await import('./commands/token.ts');
        process.stdout.write(await createToken(dataOf(command), options));
      },
    );
  program
    .command('nats-config')
    .description('print what belongs into the settings of NATS servers, so that agents can send over them')
    .action(async (_options, command: Command) => {
      const { natsConfig } = await import('./commands/nats-config.ts');
      process.stdout.write(await natsConfig(dataOf(command)));
    });
  const user = program.command('user').description('people who sign in');
  user
    .command('reset <name>')
    .description('give a user a new generated password and print it')
    .action(async (name: string, _options, command: Command) => {
      const { resetUser } = await import('./commands/user.ts');
      process.stdout.write(await resetUser(dataOf(command), name));
    });
  const channel = program.command('channel').description('ways to tell a person');
  channel
    .command('test <name>')
    .description('send a test message through a channel and say what happened')
    .action(async (name: string, _options, command: Command) => {
      const { testChannel } = await import('./commands/channel.ts');
      process.stdout.write(await testChannel(dataOf(command), name));
    });
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .description('print a completion script for a shell')
    .action(async (shell: string) => {
      const { completionScript } = await import('#sdk');
      process.stdout.write(completionScript(program, shell));
    });
}

function createProgram(): Command {
  const program = new Command('outrider-hub')
    .description('Keeps, watches and explains what agents send.')
    .version(VERSION)
    .option('--config <file>', 'settings file (default: outrider-hub.yaml in the data folder, else in /etc/outrider)')
    .option('--data <folder>', `data folder (default: ${defaultDataFolder()})`)
    .option('--listen <address>', 'address to listen on (default 127.0.0.1)')
    .option('--port <port>', 'port of the web API and the page (default 8080; a service alone has one of its own)')
    .option('--grpc-port <port>', 'port that agents stream to (default 4320)')
    .option('--advertise <host>', 'name or address by which agents and people reach this hub')
    .addOption(
      new Option('--target <names>', 'what to run: all, or services joined by commas (outrider-hub list-targets)')
        .argParser(targetFlag)
        .default('all'),
    )
    .addOption(new Option('--log-level <level>', 'least level to log').choices(LOG_LEVELS))
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(outrider-hub --help lists the commands)')
    .exitOverride();
  addCommands(program);
  addKeys(program);
  addLooks(program);
  addBus(program);
  return program;
}

outliveReaders();
try {
  await createProgram().parseAsync(process.argv);
  process.exit(process.exitCode ?? 0);
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : USAGE);
  if (error instanceof Problem) process.stderr.write(`outrider-hub: ${error.message}\n`);
  else
    process.stderr.write(`outrider-hub: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(FAULT);
}
