import { outliveReaders, Problem, systemClock, terminalSink } from '#sdk';
import { CommanderError } from 'commander';
import { proxyVariables } from './link/proxy.ts';
import { createProgram } from './program.ts';
import { programEntry } from './programs.ts';
import { createSources, type Flags } from './sources.ts';

/** Exit codes: 0 done, 1 a fault, 2 wrong usage. */
const FAULT = 1;
const USAGE = 2;

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

async function runAgent(flags: Flags): Promise<void> {
  const signalled = stopSignal();
  const { load, file } = createSources(process.env);
  const loaded = await load(flags);
  const { startAgent } = await import('./start.ts');
  const sinks = flags.quiet === true ? [] : [terminalSink()];
  const agent = await startAgent({
    loaded,
    load: (candidate) => load(flags, candidate),
    file: () => file(flags),
    clock: systemClock,
    sinks,
    inventoryEntry: programEntry('inventory'),
    trainingEntry: programEntry('training'),
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

/** Runs the command line to its end. */
async function main(): Promise<void> {
  outliveReaders();
  Object.assign(process.env, proxyVariables(process.env));
  try {
    const host = { env: process.env, run: runAgent, stopSignal, standardInput };
    await createProgram(host).parseAsync(process.argv);
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
