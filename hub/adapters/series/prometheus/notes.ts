import { LRUCache } from 'lru-cache';
import { PIECE_MS } from '../points/pieces.ts';
import type { Note, NotesQuery, PointServer } from '../points/tiered-store.ts';
import { AHEAD_MS, floor, samplesOf, timeOf, type Access } from './access.ts';
import { encodeLabels, type WriteLine } from './remote-write.ts';

const HOUR_MS = 3_600_000;
/** Open pieces are looked for so far back. */
const MARKS_MS = 31 * 24 * HOUR_MS;
const PLACE = 'notes';

function lineOf(metric: string, labels: Readonly<Record<string, string>>, timeMs: number, value: number): WriteLine {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs = sorted.map(([name, text]) => [name, encodeURIComponent(text)] as const);
  return { labels: encodeLabels([['__name__', metric], ...pairs]), times: [timeMs], values: [value] };
}

/** Notes as samples. Each gets a time of its own: a second value at one time is refused, or may win by chance. */
function createLines(access: Access, prefix: string) {
  const now = (): number => access.clock.now();
  const stamps = new LRUCache<string, number>({ max: 100_000 });
  /** A mark's time lies within its piece, the later the higher; a key's is now. */
  const stampOf = ({ kind, org, about, part, timeMs }: Note): number => {
    const place = JSON.stringify([kind, org, about, part, kind === 'mark' ? timeMs : 0]);
    const ageS = Math.max(0, Math.floor((now() - timeMs) / 1000));
    const age = Math.min(ageS < 100_000 ? ageS : 100_000 + Math.floor(ageS / 60), PIECE_MS - 1_000);
    const stamp = Math.max(kind === 'mark' ? timeMs + 1 + age : now(), (stamps.get(place) ?? 0) + 1);
    stamps.set(place, stamp);
    return kind === 'mark' ? Math.min(stamp, timeMs + PIECE_MS) : stamp;
  };
  return (note: Note): WriteLine[] => {
    const { kind, org, about, part, value } = note;
    const stamp = stampOf(note);
    if (kind === 'mark') return [lineOf(`${prefix}_mark`, { org, resource: about }, stamp, value)];
    // Keys are as many as samples: the hour in which the newest lies is kept beside them, so that only that one is read.
    const [labels, hour] = [{ org, agent: about, part }, floor(stamp, HOUR_MS)];
    const place = JSON.stringify([org, about, part, access.restarts]);
    const isKnown = stamps.get(place) === hour;
    stamps.set(place, hour);
    const key = lineOf(`${prefix}_key`, labels, stamp, value);
    return isKnown ? [key] : [lineOf(`${prefix}_key_hour`, labels, stamp, hour), key];
  };
}

/** Keys as `<prefix>_key{org,agent,part}`, marks as `<prefix>_mark{org,resource}`. */
export function createNotes(access: Access, prefix: string): Pick<PointServer, 'readNotes' | 'writeNotes'> {
  const { server, clock, window, inSteps, oldest } = access;
  const linesOf = createLines(access, prefix);
  const readKeys = async (of: NonNullable<NotesQuery['of']>): Promise<Note[]> => {
    const now = clock.now() + AHEAD_MS;
    const own = { org: of.org, agent: of.about };
    const parts = of.parts?.map((part) => part.replace('.', '\\.')).join('|');
    const only = parts === undefined ? '' : `,part=~${JSON.stringify(parts)}`;
    const hours = access.select(`${prefix}_key_hour`, own, only);
    const notes: Note[] = [];
    for (const one of await server.instant(`max_over_time(${hours}${window(oldest(0), now)})`, now - 1)) {
      const [hour, part] = [Number(one.value?.[1]), one.metric['part'] ?? ''];
      const end = hour + 2 * HOUR_MS;
      const keys = access.select(`${prefix}_key`, { ...own, part });
      const [found] = await server.instant(`max_over_time(${keys}${window(hour, end)})`, end - 1);
      if (found?.value !== undefined)
        notes.push({ kind: 'key', org: of.org, about: of.about, part, timeMs: hour, value: Number(found.value[1]) });
    }
    return notes;
  };
  const readMarks = async (since: number): Promise<Note[]> => {
    const from = floor(Math.max(since, clock.now() - MARKS_MS), PIECE_MS) + PIECE_MS;
    const open = `last_over_time(${access.select(`${prefix}_mark`, {})}[${PIECE_MS}ms]) == 1`;
    const found = await inSteps(open, from, floor(clock.now() + AHEAD_MS, PIECE_MS), PIECE_MS);
    return found.flatMap((one) => {
      const [org = '', about = ''] = [one.metric['org'] ?? '', one.metric['resource'] ?? ''].map(decodeURIComponent);
      const note = { kind: 'mark' as const, org, about, part: 'piece', value: 1 };
      return samplesOf(one).map(([time]) => ({ ...note, timeMs: timeOf(time) - PIECE_MS }));
    });
  };
  return {
    writeNotes: async (notes) => void (await access.write([PLACE], notes.flatMap(linesOf))),
    async readNotes({ kind, since, of }) {
      await access.settling?.settled(PLACE, -Infinity, Infinity);
      if (kind === 'mark') return readMarks(since);
      return of === undefined ? [] : readKeys(of);
    },
  };
}
