import { createHash } from 'node:crypto';
import { SEVERITIES, type Message, type Severity } from '#sdk';
import type { AlertChanged } from '#proto/subjects.ts';

/** What a receiver may want to know beside the sentences. */
function factsOf({
  resourceName,
  ruleName,
  metric,
  attributes,
  severity,
  startedMs,
}: AlertChanged): [string, string][] {
  return [
    ['Host', resourceName],
    ['Rule', ruleName],
    ['Severity', severity],
    ['Metric', metric],
    ...Object.entries(attributes),
    ['Since', new Date(startedMs).toISOString()],
  ];
}

function single(news: AlertChanged, page: string): Message {
  const { firing, state, severity, title, text, atMs } = news;
  return {
    key: `${firing}:${state}`,
    threads: [firing],
    state,
    severity,
    title,
    text,
    facts: factsOf(news),
    url: `${page}/alerts?${state === 'resolved' ? 'tab=history&' : ''}open=${encodeURIComponent(firing)}`,
    at: atMs,
  };
}

/** The last of what is known of each firing; one that began and ended meanwhile is told as over. */
function newest(all: readonly AlertChanged[]): AlertChanged[] {
  const byFiring = new Map<string, AlertChanged>();
  for (const news of all) if (byFiring.get(news.firing)?.state !== 'resolved') byFiring.set(news.firing, news);
  return [...byFiring.values()];
}

const worst = (all: readonly AlertChanged[]): Severity =>
  SEVERITIES[Math.max(...all.map(({ severity }) => SEVERITIES.indexOf(severity)))] ?? 'info';

const counted = (n: number, word: string): string => (n === 0 ? '' : `${n} ${word}`);

/** Makes one message of news about one host, in the order in which they came. `page` is where people look. */
export function messageOf(all: readonly [AlertChanged, ...AlertChanged[]], page: string): Message {
  const told = newest(all);
  const [only] = told;
  if (told.length === 1 && only !== undefined) return single(only, page);
  const firing = told.filter(({ state }) => state === 'firing');
  const over = told.filter(({ state }) => state === 'resolved');
  const counts = [counted(firing.length, 'firing'), counted(over.length, 'resolved')].filter((part) => part !== '');
  const lines = [...firing, ...over].map(({ state, severity, title, text }) => {
    const mark = state === 'firing' ? severity : 'resolved';
    return `[${mark}] ${title}\n${text}`;
  });
  const keys = told.map(({ firing: id, state }) => `${id}:${state}`).sort();
  return {
    key: createHash('sha256').update(keys.join('\n')).digest('hex').slice(0, 32),
    threads: told.map(({ firing: id }) => id),
    state: firing.length > 0 ? 'firing' : 'resolved',
    severity: worst(firing.length > 0 ? firing : over),
    title: `${told.length} alerts on ${all[0].resourceName}: ${counts.join(', ')}`,
    text: lines.join('\n\n'),
    facts: [['Host', all[0].resourceName]],
    url: `${page}/alerts`,
    at: Math.max(...told.map(({ atMs }) => atMs)),
  };
}

/** The message of a test. */
export function testMessage(given: { id: string; channel: string; by: string; page: string; nowMs: number }): Message {
  const { id, channel, by, page, nowMs } = given;
  return {
    key: `test:${id}`,
    threads: [`test:${id}`],
    state: 'test',
    severity: 'info',
    title: `Test of the channel ${channel}`,
    text: `${by} asked for this test. When you can read it, alerts reach you here.`,
    facts: [['Channel', channel]],
    url: `${page}/alerts`,
    at: nowMs,
  };
}
