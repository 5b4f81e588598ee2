import { createMiner, MOST_PLACES } from './miner.ts';
import { isSaved, type SavedTemplates } from './state.ts';
import { idOf, rootOf, textOfTemplate, type Template } from './template.ts';

/** A kind of lines as `LogLine.template` and `LogLine.parameters` carry it. Read it before the next line. */
export interface FoundTemplate {
  /** `LogTemplate.id`: eight bytes, little endian. */
  id: Uint8Array;
  /** For each wildcard the bytes since the end of the one before and its own; `count` of them. */
  places: Uint32Array;
  count: number;
}

/** What is known of a kind of lines. */
export interface Kind {
  /** Stays the same while the kind becomes wider. */
  number: number;
  template: Template;
  /** Sixteen hexadecimal digits; changes when the kind turns out to be wider. */
  id: string;
  /** No earlier run knew it. */
  isNew: boolean;
  /** The source of its first line. */
  source: string;
  lines: number;
  /** Milliseconds since 1970. */
  firstMs: number;
  lastMs: number;
}

/** A kind as the hub hears of it. */
export interface ToldTemplate {
  id: bigint;
  text: string;
  /** Ids under which lines of it were sent before. */
  merged: bigint[];
}

/** What finding templates stands on. */
export interface TemplatesGiven {
  /** What `save` gave; anything else is nothing. */
  saved: unknown;
  nowMs(): number;
  tell(template: ToldTemplate): void;
}

/** Finds the kinds of all lines of the host, and tells of each before its first line is sent. */
export interface LineTemplates {
  find(source: string, bytes: Buffer, start: number, end: number): FoundTemplate;
  /** Kinds of lines that have come since the start, merged as far as is known by now. */
  kinds(): readonly Kind[];
  save(): SavedTemplates;
}

interface Known extends Kind {
  idBytes: Uint8Array;
  /** Ids that it had, and those of kinds that it took in; told with the next telling. */
  merged: bigint[];
}

const numberOf = (id: string): bigint => BigInt(`0x${id}`);

function bytesOf(id: string): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(numberOf(id));
  return bytes;
}

/** Makes what finds them; one serves all sources, because programs write the same lines into several. */
export function createLineTemplates({ saved, nowMs, tell }: TemplatesGiven): LineTemplates {
  const known = new Map<Template, Known>();
  const found: FoundTemplate = { id: new Uint8Array(8), places: new Uint32Array(2 * MOST_PLACES), count: 0 };
  const miner = createMiner(isSaved(saved) ? saved : undefined, {
    forgotten: (template) => known.delete(template),
    merged(template) {
      const lost = known.get(template);
      if (lost === undefined) return;
      known.delete(template);
      const root = rootOf(template);
      const into = known.get(root);
      if (into === undefined) {
        known.set(root, { ...lost, template: root });
        return;
      }
      for (const { id } of [lost, into]) if (id !== '') into.merged.push(numberOf(id));
      into.merged.push(...lost.merged);
      into.lines += lost.lines;
      into.isNew &&= lost.isNew;
      into.firstMs = Math.min(into.firstMs, lost.firstMs);
      into.lastMs = Math.max(into.lastMs, lost.lastMs);
      into.id = ''; // To be told again.
    },
  });
  const begin = (template: Template, source: string): Known => {
    const atMs = nowMs();
    const isNew = template.lines <= 1; // One that was restored brings its lines.
    const { number } = template;
    const kind = {
      number,
      template,
      id: '',
      idBytes: found.id,
      isNew,
      source,
      lines: 0,
      firstMs: atMs,
      lastMs: atMs,
      merged: [],
    };
    known.set(template, kind);
    return kind;
  };
  const announce = (kind: Known): void => {
    const id = idOf(kind.template);
    if (kind.id !== '' && kind.id !== id) kind.merged.push(numberOf(kind.id));
    kind.id = id;
    kind.idBytes = bytesOf(id);
    const own = numberOf(id);
    tell({ id: own, text: textOfTemplate(kind.template), merged: kind.merged.filter((other) => other !== own) });
    kind.merged = [];
  };
  return {
    find(source, bytes, start, end) {
      const template = miner.take(bytes, start, end);
      const kind = known.get(template) ?? begin(template, source);
      kind.lines += 1;
      kind.lastMs = nowMs();
      if (kind.id === '' || template.id !== kind.id) announce(kind);
      found.id = kind.idBytes;
      found.count = miner.places(template, found.places);
      return found;
    },
    kinds() {
      miner.settle();
      const all = [...known.values()];
      for (const kind of all) if (kind.id === '') announce(kind); // Two that became one, and no line of it came since.
      return all;
    },
    save: () => miner.save(),
  };
}
