import { beginsKey, type Redactor } from '../redact/index.ts';

/** What redaction made of a text; undefined where it has nothing to hide. */
export interface RedactedEvent {
  text: Buffer;
  kinds: readonly string[];
}

/** Redacts the events of one source in their order. */
export interface EventRedaction {
  /** Looks at a piece as a whole, once; its events follow in order. */
  look(bytes: Buffer): void;
  /** The event that lies in the piece from `start` to `end`. */
  redact(start: number, end: number): RedactedEvent | undefined;
}

const KEY_LINE = /^[A-Za-z0-9+/=\s]{0,200}$/;
const KEY_END = /^[^]{0,300}?-----END [A-Z ]{0,40}PRIVATE KEY-----/;
/** Lines that a private key takes at most. */
const KEY_LINES = 200;

/** Makes the redaction of a source. What no scan finds costs no look. A key that goes over several events stays hidden. */
export function createEventRedaction(redactor: Redactor): EventRedaction {
  let piece: Buffer = Buffer.alloc(0);
  let next = 0;
  let keyLines = 0;

  const goesOn = (text: string): string => {
    const end = KEY_END.exec(text)?.[0];
    if (end !== undefined) {
      keyLines = 0;
      return `***${text.slice(end.length)}`;
    }
    const isKey = KEY_LINE.test(text) || /^[A-Za-z-]{1,40}: /.test(text);
    keyLines = isKey ? keyLines - 1 : 0;
    return isKey ? '***' : text;
  };
  return {
    look(bytes) {
      piece = bytes;
      next = redactor.scan(bytes, 0);
    },
    redact(start, end) {
      if (next < start) next = redactor.scan(piece, start);
      if (next >= end && keyLines === 0) return undefined;
      const text = piece.toString('utf8', start, end);
      const kinds: string[] = [];
      const rest = keyLines > 0 ? goesOn(text) : text;
      if (rest !== text) kinds.push('private-key');
      const shown = redactor.redact(rest, (kind) => void kinds.push(kind));
      if (keyLines === 0 && kinds.includes('private-key') && beginsKey(rest)) keyLines = KEY_LINES;
      return kinds.length === 0 ? undefined : { text: Buffer.from(shown), kinds };
    },
  };
}
