import { spawn } from 'node:child_process';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { reasonOf, type Clock, type Logger } from '#sdk';
import { readBasics, type Inventory } from './basics.ts';

/** What reading the inventory needs. `entry` is the program of `main.ts`, as built, or the word by which the single executable becomes it. */
export interface InventoryOptions {
  entry: string;
  log: Logger;
  clock: Clock;
  signal: AbortSignal;
}

const LIMIT_MS = 20_000;
const MAX_BYTES = 1_000_000;

const Answer = Type.Record(Type.String({ minLength: 1, maxLength: 200 }), Type.String({ maxLength: 2000 }));

/** Reads one line of JSON; anything but texts by name is refused. */
export function parseInventory(text: string): Inventory {
  const answer: unknown = JSON.parse(text);
  if (!Value.Check(Answer, answer)) throw new Error('the inventory is not a list of texts by name');
  return answer;
}

/** Runs the program and gives what it printed. It and all it started are ended after the limit or an abort. */
function runProgram({ entry, clock, signal }: InventoryOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const isWindows = process.platform === 'win32';
    const child = spawn(process.execPath, [...process.execArgv, entry], {
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
      detached: !isWindows, // Its own process group, so that its children can be ended with it.
    });
    let text = '';
    const end = (reason: string): void => {
      done();
      reject(new Error(reason));
      try {
        if (isWindows || child.pid === undefined) child.kill();
        else process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself meanwhile.
      }
    };
    const abort = (): void => end('the agent stops');
    const cancel = clock.after(LIMIT_MS, () => end(`no answer within ${LIMIT_MS / 1000} s`));
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', abort);
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_BYTES) end('the answer is too long');
    });
    child.on('error', (error) => end(reasonOf(error)));
    child.on('close', (code) => {
      done();
      if (code === 0) resolve(text);
      else reject(new Error(`it ended with code ${code ?? 'none'}`));
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/**
 * What the machine is, as OpenTelemetry resource attributes. Takes a second or two in a process of its own, because
 * the library starts dozens of them; never rejects: when it fails, what Node knows must do, and the log says so.
 */
export async function readInventory(options: InventoryOptions): Promise<Inventory> {
  const basics = readBasics();
  try {
    const found = parseInventory(await runProgram(options));
    return { ...found, ...basics, ...preferred(found) };
  } catch (error) {
    if (!options.signal.aborted) {
      options.log.warn('the inventory could not be read, so only the basics are known', { reason: reasonOf(error) });
    }
    return basics;
  }
}

/** Where both tell, the library knows better what the system calls itself, and Node how this process sees the machine. */
function preferred(found: Inventory): Inventory {
  const names = ['os.description', 'host.cpu.model.name'];
  return Object.fromEntries(names.flatMap((name) => (found[name] === undefined ? [] : [[name, found[name]]])));
}
