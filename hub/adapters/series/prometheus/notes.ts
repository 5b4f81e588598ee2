import { LRUCache } from 'lru-cache';
import type { Clock } from '#sdk';
import { PIECE_MS } from '../points/pieces.ts';
import type { Note, NotesQuery, PointServer } from '../points/tiered-store.ts';
import { selector } from './labels.ts';
import { AHEAD_MS, floor, samplesOf, timeOf, type Reading } from './reading.ts';
import { encodeLabels, type WriteLine } from './remote-write.ts';
import type { Server } from './server.ts';

const HOUR_MS = 3_600_000;
/** Open pieces are looked for so far back. */
const MARKS_MS = 31 * 24 * HOUR_MS;

/** Keys as `<prefix>_key{org,agent,part}`, marks as `<prefix>_mark{org,resource}`, each at a time of its own: a second value at one time is refused, or may win by chance. */
export function createNotes({
  reading,
  server,
  prefix,
  clock,
  write,
}: {
  reading: Reading;
  server: Server;
  prefix: string;
  clock: Clock;
  write(lines: readonly WriteLine[]): Promise<unknown>;
}): Pick<PointServer, 'readNotes' | 'writeNotes'> {
  const { window, inSteps, oldest } = reading;
  const stamps = new LRUCache<string, number>({ max: 100_000 });
  /** A time that no note of its kind has yet: a mark's lies within its piece, the later the higher, a key's is now. */
  const stampOf = ({ kind, org, about, part, timeMs }: Note): number => {
    const place = JSON.stringify([kind, org, about, part, kind === 'mark' ? timeMs : 0]);
    const ageS = Math.max(0, Math.floor((clock.now() - timeMs) / 1000));
    const age = ageS < 100_000 ? ageS : 100_000 + Math.floor(ageS / 60);
    const wished = kind === 'mark' ? timeMs + 1 + Math.min(age, PIECE_MS - 1_000) : clock.now();
    const stamp = Math.max(wished, (stamps.get(place) ?? 0) + 1);
    stamps.set(place, stamp);
    return kind === 'mark' ? Math.min(stamp, timeMs + PIECE_MS) : stamp;
  };
  const noteLine = (
    metric: string,
    labels: Readonly<Record<string, string>>,
    timeMs: number,
    value: number,
  ): WriteLine => {
    const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
    const pairs = sorted.map(([name, text]) => [name, encodeURIComponent(text)] as const);
    return { labels: encodeLabels([['__name__', metric], ...pairs]), times: [timeMs], values: [value] };
  };
  const linesOf = (note: Note): WriteLine[] => {
    const { kind, org, about, part, value } = note;
    const stamp = stampOf(note);
    if (kind === 'mark') return [noteLine(`${prefix}_mark`, { org, resource: about }, stamp, value)];
    // Keys are as many as samples: the hour in which the newest lies is kept beside them, so that only that hour is read.
    const [labels, hour] = [{ org, agent: about, part }, floor(stamp, HOUR_MS)];
    const place = JSON.stringify([org, about, part, 'hour']);
    const isKnown = stamps.get(place) === hour;
    stamps.set(place, hour);
    const key = noteLine(`${prefix}_key`, labels, stamp, value);
    return isKnown ? [key] : [noteLine(`${prefix}_key_hour`, labels, stamp, hour), key];
  };
  const readKeys = async (of: NonNullable<NotesQuery['of']>): Promise<Note[]> => {
    await reading.settling?.settled('notes', -Infinity, Infinity);
    const now = clock.now() + AHEAD_MS;
    const own = { org: of.org, agent: of.about };
    const only =
      of.parts === undefined
        ? ''
        : `,part=~${JSON.stringify(of.parts.map((part) => part.replace('.', '\\.')).join('|'))}`;
    const everything = window(oldest(0), now);
    const hours = await server.instant(
      `max_over_time(${selector(`${prefix}_key_hour`, own, only)}${everything})`,
      now - 1,
    );
    const notes: Note[] = [];
    for (const { metric, value } of hours) {
      const [hour, part] = [Number(value?.[1]), metric['part'] ?? ''];
      const end = hour + 2 * HOUR_MS;
      const key = selector(`${prefix}_key`, { ...own, part });
      const [found] = await server.instant(`max_over_time(${key}${window(hour, end)})`, end - 1);
      if (found?.value !== undefined)
        notes.push({ kind: 'key', ...of, part, timeMs: hour, value: Number(found.value[1]) });
    }
    return notes;
  };
  const readMarks = async (since: number): Promise<Note[]> => {
    await reading.settling?.settled('notes', -Infinity, Infinity);
    const from = floor(Math.max(since, clock.now() - MARKS_MS), PIECE_MS) + PIECE_MS;
    const query = `last_over_time(${prefix}_mark[${PIECE_MS}ms]) == 1`;
    const found = await inSteps(query, from, floor(clock.now() + AHEAD_MS, PIECE_MS), PIECE_MS);
    return found.flatMap((one) => {
      const [org, about] = [one.metric['org'], one.metric['resource']].map((text) => decodeURIComponent(text ?? ''));
      const note = { kind: 'mark' as const, org: org ?? '', about: about ?? '', part: 'piece', value: 1 };
      return samplesOf(one).map(([time]) => ({ ...note, timeMs: timeOf(time) - PIECE_MS }));
    });
  };

  return {
    writeNotes: async (notes) => void (await write(notes.flatMap(linesOf))),
    readNotes: ({ kind, since, of }) =>
      kind === 'mark' ? readMarks(since) : of === undefined ? Promise.resolve([]) : readKeys(of),
  };
}
