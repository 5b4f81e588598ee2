import { Level } from '#proto/agent/v1/index.ts';
import { levelInText } from './facts/index.ts';

/** What a line is to the event before it. */
export const FRESH = 0;
export const JOINS = 1;
/** It joins if what follows it does: a blank line between the parts of a trace. */
export const MAY_JOIN = 2;
export type Verdict = typeof FRESH | typeof JOINS | typeof MAY_JOIN;

/** Says which lines belong together. Told of every line in its order. */
export interface Joiner {
  /** An event begins with this line. */
  begin(bytes: Buffer, start: number, end: number): void;
  /** What the next line is to the event that began. */
  follow(bytes: Buffer, start: number, end: number): Verdict;
}

/** What kind of trace the event turned out to be. */
type State = 'none' | 'frames' | 'python' | 'python-end' | 'go' | 'node-source' | 'node-caret' | 'node-object' | 'key';

/** So much of a line tells what it is. */
const LOOK = 300;

/** A frame of Java, Node, .NET or Ruby. */
const FRAME = /^\s+(?:at \S|\.\.\. \d+ (?:more|common frames omitted|lines matching)|from \S+:\d+:in |--- End of )/;
/** A Java or JavaScript exception, named at the beginning of a line. */
const EXCEPTION =
  /^(?:Exception in thread "[^"]{0,100}" |Uncaught )?(?:[A-Za-z_$][\w$]{0,60}[./]){0,20}(?:[A-Za-z_$][\w$]{0,80})?(?:Exception|Error|Throwable)(?: \[\w{1,60}\])?(?::|$)/;
const CAUSE = /^(?:Caused by: |Suppressed: | ---> |Wrapped by: )/;
const PYTHON = /^(?:\s*\+ Exception Group )?Traceback \(most recent call last\):$/;
/** What Python ends a trace with. */
const PYTHON_EXCEPTION = /^[A-Za-z_][\w.]{0,120}(?::|$)/;
const PYTHON_CHAIN = /^(?:During handling of the above exception|The above exception was the direct cause)/;
const GO = /^(?:panic: |fatal error: |goroutine \d+ (?:gp=|\[)|SIG[A-Z]+: )/;
/** Functions, places and registers of Go's dumps. */
const GO_LINE =
  /^(?:panic: |\[signal |goroutine \d+ |created by |runtime stack:|exit status \d|PC=|[a-z][a-z0-9]{1,5} +0x[0-9a-f]+$|[\w./~%-]+\.[\w.()*[\]{}$·-]+\(.*\)$|\.\.\.\d+ frames elided|\.\.\.additional frames elided)/;
/** Where Node says that nobody caught an error. */
const NODE_SOURCE = /^(?:file:\/\/)?(?:\/|[A-Z]:\\|node:)[^ ]{1,250}:\d{1,7}$/;
const NODE_VERSION = /^Node\.js v\d/;
const KEY = /^-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/;
const KEY_LINE = /^(?:[A-Za-z0-9+/=]{1,200}|[A-Za-z-]{1,40}: .{0,100}|)$/;
const KEY_END = /^-----END /;

const isBlankByte = (byte: number | undefined): boolean => byte === 32 || byte === 9;
const isLetter = (byte: number | undefined): boolean => byte !== undefined && (byte | 32) >= 97 && (byte | 32) <= 122;
const DASH = 45;

function beginning(head: string): State {
  if (PYTHON.test(head)) return 'python';
  if (GO.test(head)) return 'go';
  if (KEY.test(head)) return 'key';
  if (NODE_SOURCE.test(head)) return 'node-source';
  return EXCEPTION.test(head) ? 'frames' : 'none';
}

/** A logger's line that tells of something bad is followed by what went wrong. */
function tellsOfTrouble(first: string): boolean {
  const level = levelInText(first);
  return level === Level.WARN || level === Level.ERROR || level === Level.FATAL;
}

interface Step {
  verdict: Verdict;
  state: State;
}
const fresh: Step = { verdict: FRESH, state: 'none' };
const joined = (state: State): Step => ({ verdict: JOINS, state });

/** A line after one that began no trace. */
function afterPlain(line: string, first: () => string): Step {
  if (FRAME.test(line)) return joined('frames');
  if (PYTHON.test(line)) return tellsOfTrouble(first()) ? joined('python') : fresh;
  if (EXCEPTION.test(line)) return tellsOfTrouble(first()) ? joined('frames') : fresh;
  if (/^goroutine \d+ \[/.test(line)) return first().includes('panic') ? joined('go') : fresh;
  return fresh;
}

function afterPython(line: string, state: State): Step {
  if (PYTHON_CHAIN.test(line)) return joined('python-end');
  if (PYTHON.test(line)) return state === 'python-end' ? joined('python') : fresh;
  if (isBlankByte(line.charCodeAt(0))) return joined(state);
  if (line === '') return { verdict: MAY_JOIN, state };
  return state === 'python' && PYTHON_EXCEPTION.test(line) ? joined('python-end') : fresh;
}

function afterFrames(line: string): Step {
  if (line === '') return { verdict: MAY_JOIN, state: 'frames' };
  if (FRAME.test(line) && line.endsWith('{')) return joined('node-object');
  return isBlankByte(line.charCodeAt(0)) || CAUSE.test(line) || NODE_VERSION.test(line) ? joined('frames') : fresh;
}

/** A blank line inside a trace, and something that a trace goes on with. */
function afterSource(line: string, state: State): Step {
  if (line === '') return { verdict: MAY_JOIN, state };
  if (EXCEPTION.test(line)) return joined('frames');
  if (/^\s*\^+$/.test(line)) return joined('node-caret');
  return state === 'node-source' ? joined('node-caret') : fresh;
}

function step(state: State, line: string, first: () => string): Step {
  switch (state) {
    case 'none':
      return afterPlain(line, first);
    case 'python':
    case 'python-end':
      return afterPython(line, state);
    case 'go':
      if (line === '') return { verdict: MAY_JOIN, state };
      return isBlankByte(line.charCodeAt(0)) || GO_LINE.test(line) ? joined('go') : fresh;
    case 'node-source':
    case 'node-caret':
      return afterSource(line, state);
    case 'node-object':
      if (line.startsWith('}')) return joined('frames');
      return isBlankByte(line.charCodeAt(0)) ? joined(state) : fresh;
    case 'key':
      if (KEY_END.test(line)) return joined('none');
      return KEY_LINE.test(line) ? joined(state) : fresh;
    case 'frames':
      return afterFrames(line);
  }
}

/**
 * Joins the stack traces of Java, Python, Go, Node, .NET and Ruby, and private keys, to one event each, with the logger's
 * line before them. A line that begins with a digit, a bracket or a brace costs a look at one byte.
 */
export function createTraceJoiner(): Joiner {
  let state: State = 'none';
  let first: Buffer = Buffer.alloc(0);
  let firstStart = 0;
  let firstEnd = 0;
  const text = (bytes: Buffer, start: number, end: number): string => {
    const last = end > start && bytes[end - 1] === 13 ? end - 1 : end;
    return bytes.toString('latin1', start, Math.min(last, start + LOOK));
  };
  return {
    begin(bytes, start, end) {
      const byte = bytes[start];
      first = bytes;
      firstStart = start;
      firstEnd = end;
      const mayBegin = isLetter(byte) || byte === 47 || byte === DASH || isBlankByte(byte);
      state = mayBegin ? beginning(text(bytes, start, end)) : 'none';
    },
    follow(bytes, start, end) {
      const byte = bytes[start];
      if (state === 'none' && !isLetter(byte) && !isBlankByte(byte)) return FRESH;
      const next = step(state, text(bytes, start, end), () => text(first, firstStart, firstEnd));
      state = next.state;
      return next.verdict;
    },
  };
}
