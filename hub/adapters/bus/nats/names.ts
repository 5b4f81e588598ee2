import { createHash } from 'node:crypto';
import type { Subject } from '#proto/subjects.ts';

/** What names need of a kind of news. */
type Kind = Pick<Subject<never>, 'name' | 'lanes'>;

/** Names on the server, all made of the prefix. */
export interface Names {
  /** The stream of news. */
  stream: string;
  /** The stream of what nobody could handle. */
  deadStream: string;
  /** Subjects of each stream. */
  streamSubjects: string[];
  deadSubjects: string[];
  /** Where one message goes. */
  news(subject: Kind, key: string): string;
  /** Everything of a kind, for those who listen. */
  allNews(subject: Kind): string;
  /** What a subscriber takes in one lane: the news, and what is handed to it alone once more. */
  lane(subject: Kind, subscriber: string, lane: number): { durable: string; filters: string[] };
  dead(subject: Kind, subscriber: string, lane: number): string;
  /** Where a dead letter goes to be tried once more; undefined for a subject that is none. */
  again(dead: string): string | undefined;
  /** Subscriber and kind of a dead letter. */
  readDead(dead: string): { subscriber: string; kind: string } | undefined;
}

/** The lane of a key: keys are spread evenly, and one key is always in the same. */
export function laneOf(key: string, lanes: number): number {
  return lanes === 1 ? 0 : createHash('sha1').update(key).digest().readUInt32BE(0) % lanes;
}

const DEAD = /^dead\.([\w-]+)\.(.+)\.(\d+)$/;

/** Names for a prefix. */
export function namesFor(prefix: string): Names {
  const inner = (dead: string): RegExpExecArray | null =>
    dead.startsWith(`${prefix}.`) ? DEAD.exec(dead.slice(prefix.length + 1)) : null;
  return {
    stream: prefix,
    deadStream: `${prefix}-dead`,
    streamSubjects: [`${prefix}.news.>`, `${prefix}.again.>`],
    deadSubjects: [`${prefix}.dead.>`],
    news: (subject, key) => `${prefix}.news.${subject.name}.${laneOf(key, subject.lanes)}`,
    allNews: (subject) => `${prefix}.news.${subject.name}.*`,
    lane: ({ name }, subscriber, lane) => ({
      durable: `${subscriber}_${name.replaceAll('.', '-')}_${lane}`,
      filters: [`${prefix}.news.${name}.${lane}`, `${prefix}.again.${subscriber}.${name}.${lane}`],
    }),
    dead: ({ name }, subscriber, lane) => `${prefix}.dead.${subscriber}.${name}.${lane}`,
    again(dead) {
      const [, subscriber, kind, lane] = inner(dead) ?? [];
      return subscriber === undefined ? undefined : `${prefix}.again.${subscriber}.${kind}.${lane}`;
    },
    readDead(dead) {
      const [, subscriber, kind] = inner(dead) ?? [];
      return subscriber === undefined || kind === undefined ? undefined : { subscriber, kind };
    },
  };
}
