import { spawn } from 'node:child_process';
import type { Clock } from '#sdk';

/** A longer entry is left out and counted, bytes. */
const ENTRY_BYTES = 4_194_304;
const REASON_BYTES = 1000;
/** A child that was asked to end has so long for it. */
const END_MS = 2000;
const NEWLINE = 10;

/** What a child is run with. */
export interface ChildGiven {
  program: string;
  args: readonly string[];
  /** Takes lines; the next ones come when the promise is resolved. */
  take(lines: string[]): Promise<void> | void;
  /** Called for a line that is longer than any entry may be, with its bytes. */
  tooLong(bytes: number): void;
  clock: Clock;
}

/** A program that runs. */
export interface Child {
  /** Resolves when it has ended and its lines were taken, to why; to nothing when it ended well. */
  ended: Promise<string | undefined>;
  end(): void;
}

/** Cuts bytes into lines; holds no more than one entry. */
function createSplitter(tooLong: ChildGiven['tooLong']) {
  let held: Buffer[] = [];
  let size = 0;
  return (chunk: Buffer): string[] => {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const length = size + end - start;
      if (length > ENTRY_BYTES) tooLong(length);
      else lines.push(Buffer.concat([...held, chunk.subarray(start, end)]).toString('utf8'));
      [held, size, start] = [[], 0, end + 1];
    }
    size += chunk.length - start;
    if (size > ENTRY_BYTES) held = [];
    else if (start < chunk.length) held.push(chunk.subarray(start));
    return lines;
  };
}

/** Runs a program and hands on what it prints, line by line, no faster than it is taken. It ends with this process: its output leads nowhere then. */
export function runChild({ program, args, take, tooLong, clock }: ChildGiven): Child {
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const split = createSplitter(tooLong);
  let reason = '';
  let isEnded = false;
  child.stderr.on('data', (text: Buffer) => (reason = `${reason}${text.toString('utf8')}`.slice(-REASON_BYTES)));
  const exited = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      const why = reason.trim() === '' ? (signal ?? `it ended with ${code}`) : reason.trim();
      resolve(code === 0 || isEnded ? undefined : why);
    });
  });
  const read = async (): Promise<void> => {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      const lines = split(chunk);
      if (isEnded) return;
      if (lines.length > 0) await take(lines);
    }
  };
  const reading = read();
  return {
    ended: (async () => {
      const [why, failure] = await Promise.all([
        exited,
        reading.then(
          () => undefined,
          (error: unknown) => String(error),
        ),
      ]);
      return isEnded ? undefined : (why ?? failure);
    })(),
    end() {
      isEnded = true;
      child.kill('SIGTERM');
      const cancel = clock.after(END_MS, () => child.kill('SIGKILL'));
      void exited.then(cancel);
    },
  };
}
