import { createEventPut, type Known } from '../event.ts';
import { splitEvents } from '../joining.ts';
import { createEventRedaction } from '../redaction.ts';
import { createPutEntry, joinerOf, type LineSource, type PieceGiven, type SourceGiven } from '../source.ts';
import type { StreamName, Wrapping } from './line.ts';
import { unwrap, type JoinedLine, type StreamText } from './unwrap.ts';

/** Bytes of the file that wait at most for what they may go on with; beyond it what is there is whole. */
const HELD_BYTES = 2_097_152;

const ATTRIBUTES = { stdout: { 'log.iostream': 'stdout' }, stderr: { 'log.iostream': 'stderr' }, other: undefined };

/** An event of a stream, where it lies in the stream's text and in the piece. */
interface ContainerEvent {
  stream: StreamName;
  from: number;
  to: number;
  rawStart: number;
  rawEnd: number;
  known: Known;
}

/** Events of a piece, and where it begins not to be whole. */
interface Found {
  events: ContainerEvent[];
  whole: number;
}

/** Adds up what the lines of an event are in the file. */
function createLineCursor(lines: readonly JoinedLine[]) {
  let at = 0;
  return (to: number): Omit<ContainerEvent, 'stream' | 'from' | 'to'> => {
    // An event that begins inside a line is of the line that was counted before.
    const first = (lines[at]?.from ?? Infinity) <= to ? at : Math.max(0, at - 1);
    const begin = lines[first];
    let [count, size, rawEnd, cut] = [0, 0, begin?.rawEnd ?? 0, begin?.cut ?? false];
    for (let line = lines[at]; line !== undefined && line.from <= to; line = lines[++at]) {
      count += line.count;
      size += line.size;
      rawEnd = line.rawEnd;
      cut = line.cut;
    }
    const known = { lines: count, size: size - 1, cut, timeMs: begin?.timeMs };
    return { rawStart: begin?.rawStart ?? 0, rawEnd, known };
  };
}

/** The place up to which every event is whole, and none goes over it: streams are mixed in the file, and a restart reads from one place. */
function wholeUpTo(events: readonly ContainerEvent[], unfinished: number): number {
  let whole = unfinished;
  for (;;) {
    const over = events.filter(({ rawStart, rawEnd }) => rawStart < whole && rawEnd > whole);
    if (over.length === 0) return whole;
    whole = Math.min(...over.map(({ rawStart }) => rawStart));
  }
}

/** Makes the source of a container's log file: its lines are unwrapped, and those of each stream are joined by themselves. */
export function createContainerSource(given: SourceGiven, wrapping: Wrapping): LineSource {
  const { settings, redactor, take } = given;
  const streamOf = () => ({ joiner: joinerOf(settings.multiline), redaction: createEventRedaction(redactor) });
  const kept = { stdout: streamOf(), stderr: streamOf(), other: streamOf() };
  const put = createEventPut(settings, take);

  const eventsOf = (stream: StreamName, { text, lines, open }: StreamText, isEnd: boolean): Found => {
    const events: ContainerEvent[] = [];
    const takeLines = createLineCursor(lines);
    const ready = open === undefined ? text : text.subarray(0, open.from);
    const rest = splitEvents(ready, kept[stream].joiner, isEnd, (from, to) => {
      const where = takeLines(to);
      events.push({ stream, from, to, ...where, known: { ...where.known, attributes: ATTRIBUTES[stream] } });
    });
    const held = rest < ready.length ? lines.findLast(({ from }) => from <= rest) : undefined;
    return { events, whole: Math.min(held?.rawStart ?? Infinity, open?.rawStart ?? Infinity) };
  };
  const look = (texts: ReadonlyMap<StreamName, StreamText>, length: number, isEnd: boolean): Found => {
    const found = [...texts].map(([stream, text]) => eventsOf(stream, text, isEnd));
    const events = found.flatMap((one) => one.events);
    return { events, whole: wholeUpTo(events, Math.min(length, ...found.map(({ whole }) => whole))) };
  };
  const unwrapped = (piece: Buffer, isEnd: boolean, isCut: boolean): Map<StreamName, StreamText> =>
    unwrap(piece, { wrapping, encoding: settings.encoding, isEnd, isCut });

  return {
    settings,
    split(piece: Buffer, { cut, isEnd, mayGoOn = false, nowMs }: PieceGiven) {
      let texts = unwrapped(piece, cut || (isEnd && !mayGoOn), cut);
      let found = look(texts, piece.length, isEnd || cut);
      if (piece.length - found.whole > HELD_BYTES) {
        texts = unwrapped(piece, true, cut);
        found = look(texts, piece.length, true);
      }
      for (const [stream, { text }] of texts) kept[stream].redaction.look(text);
      const ready = found.events.filter(({ rawStart }) => rawStart < found.whole);
      for (const { stream, from, to, known } of ready.sort((a, b) => a.rawStart - b.rawStart || a.from - b.from)) {
        const text = texts.get(stream)?.text ?? piece;
        put({ text, from, to, redaction: kept[stream].redaction }, known, nowMs);
      }
      return piece.length - found.whole;
    },
    putEntry: createPutEntry(given),
  };
}
