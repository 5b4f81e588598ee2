import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';

/** Facts beside a static message. */
export type Facts = Readonly<Record<string, unknown>>;

/** ERROR: data was lost or a person must act. WARN: it recovered. INFO: what an operator asked for happened. */
export interface Logger {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, facts?: Facts): void;
  /** A logger that adds these facts to each line. */
  child(facts: Facts): Logger;
}

/** The levels a person may set. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Anything that takes finished lines. */
export interface LineSink {
  write(line: string): void;
}

/** One line for a person at a terminal, from one line of JSON. */
function humanLine(line: string): string {
  const { time, level, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(facts)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  const clock = String(time).slice(11, 19);
  return `${clock} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${rest === '' ? '' : `  ${rest}`}\n`;
}

/** Writes to the terminal, readable for people. */
export function terminalSink(): LineSink {
  return { write: (line) => void process.stderr.write(humanLine(line)) };
}

/** Lets a program go on when whoever read what it prints is gone, as behind `| head`. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
}

/** Appends to `folder/name.log` and keeps `keep` older files once one passes `maxBytes`. A full disk never stops the program. */
export function fileSink(folder: string, name: string, maxBytes = 10_000_000, keep = 4): LineSink {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${name}.log`);
  let file = openSync(path, 'a', 0o600);
  let size = fstatSync(file).size;
  const rotate = (): void => {
    closeSync(file);
    for (let i = keep; i >= 1; i--) {
      const from = i === 1 ? path : `${path}.${i - 1}`;
      try {
        renameSync(from, `${path}.${i}`);
      } catch {
        // The older file does not exist yet.
      }
    }
    file = openSync(path, 'a', 0o600);
    size = 0;
  };
  return {
    write(line) {
      try {
        if (size > maxBytes) rotate();
        size += writeSync(file, line);
      } catch {
        // A full disk loses log lines of our own, never the program.
      }
    },
  };
}

/**
 * Makes a logger over pino that writes each line to every sink; `more` gives facts of the moment, such as the trace. A
 * level that may change while the program runs is given as a function.
 */
export function createLogger(
  level: LogLevel | (() => LogLevel),
  sinks: readonly LineSink[],
  more?: () => object,
): Logger {
  const destination = { write: (line: string) => sinks.forEach((sink) => sink.write(line)) };
  const options: pino.LoggerOptions = {
    level: 'debug',
    ...(more === undefined ? {} : { mixin: more }),
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  const least = typeof level === 'function' ? level : () => level;
  return wrap(pino(options, destination), (of) => LOG_LEVELS.indexOf(of) >= LOG_LEVELS.indexOf(least()));
}

/** A logger that says nothing, for code under test. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

function wrap(inner: pino.Logger, isWanted: (level: LogLevel) => boolean): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, facts: Facts = {}): void => {
      if (isWanted(level)) inner[level](facts, message);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (facts) => wrap(inner.child(facts), isWanted),
  };
}
