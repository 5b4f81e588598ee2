import type { Level } from './search.ts';

/** A line as the hub sends it; only lines of a search have an id. Times are milliseconds since 1970. */
export interface SentLine {
  id?: string | undefined;
  host: string;
  timeMs: number;
  level: Level;
  source: string;
  text: string;
  truncated: boolean;
  /** What wrote it: `k8s.pod.name` and others. */
  attributes?: Readonly<Record<string, string>> | undefined;
}

/** A line on the page. Its key stays the same as long as it is shown. */
export interface Line extends SentLine {
  key: string;
}

/** Lines that look the same: how many are shown, and how many each way told of. */
interface Alike {
  found: number;
  live: number;
  shown: Line[];
}

function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}

const looks = ({ timeMs, host, source, text }: SentLine): string =>
  `${timeMs} ${host} ${text.length} ${hash(text)} ${source}`;

/** Joins lines that are in order already; of the same time, those of `first` come first. */
function merged(first: readonly Line[], second: readonly Line[]): Line[] {
  const [oldest, newest] = [second[0], first.at(-1)];
  if (oldest === undefined || newest === undefined || newest.timeMs <= oldest.timeMs) return [...first, ...second];
  const out: Line[] = [];
  let i = 0;
  for (const line of second) {
    for (let next = first[i]; next !== undefined && next.timeMs <= line.timeMs; next = first[++i]) out.push(next);
    out.push(line);
  }
  return [...out, ...first.slice(i)];
}

/**
 * Lines in order of time, each once, although a search and the live stream both tell of those written around the time
 * when the stream began. Live lines have no id: they are told apart by time, host, file and text, and counted, since two
 * lines may well look the same.
 */
export function createLineBook() {
  let lines: readonly Line[] = [];
  let last = 0;
  const ids = new Set<string>();
  const alike = new Map<string, Alike>();

  const accept = (sent: SentLine, via: 'found' | 'live'): Line | undefined => {
    if (sent.id !== undefined) {
      if (ids.has(sent.id)) return undefined;
      ids.add(sent.id);
    }
    const look = looks(sent);
    const group: Alike = alike.get(look) ?? { found: 0, live: 0, shown: [] };
    alike.set(look, group);
    group[via] += 1;
    if (group[via] > group.shown.length) {
      const line = { ...sent, key: String(++last) };
      group.shown.push(line);
      return line;
    }
    const nameless = group.shown.find(({ id }) => id === undefined);
    if (nameless !== undefined) nameless.id = sent.id;
    return undefined;
  };
  return {
    lines: (): readonly Line[] => lines,
    /** Takes lines, oldest first, and says how many were new. `older` ones go before those of the same time. */
    add(sent: readonly SentLine[], via: 'found' | 'live', older = false): number {
      const fresh = sent.flatMap((line) => accept(line, via) ?? []).sort((a, b) => a.timeMs - b.timeMs);
      if (fresh.length > 0) lines = older ? merged(fresh, lines) : merged(lines, fresh);
      return fresh.length;
    },
    /** From now on a live line is a new one, whatever it looks like. */
    settle(): void {
      for (const group of alike.values()) group.live = group.shown.length;
    },
    /** Keeps the newest lines; forgets whether older ones were there. */
    keepNewest(most: number): void {
      const gone = lines.slice(0, Math.max(0, lines.length - most));
      lines = lines.slice(gone.length);
      for (const line of gone) {
        if (line.id !== undefined) ids.delete(line.id);
        alike.delete(looks(line));
      }
    },
  };
}
export type LineBook = ReturnType<typeof createLineBook>;
