import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SentLine } from './line-book.ts';
import { createLineFeed, type FoundPage, type TailListener } from './line-feed.ts';

const written = (timeMs: number, text = `line ${timeMs}`): SentLine => ({
  id: `${timeMs}-${text}`,
  host: 'h',
  timeMs,
  level: 'info',
  source: '/a',
  text,
  truncated: false,
});
const live = ({ id: _id, ...line }: SentLine): SentLine => line;

/** A hub with lines in it. */
function hub(lines: SentLine[], range = { from: 0, to: 1_000_000, live: true }) {
  let listener: TailListener | undefined;
  const search = vi.fn(
    ({
      from,
      to = Infinity,
      limit,
      offset,
    }: {
      from: number;
      to: number | undefined;
      limit: number;
      offset: number;
    }): Promise<FoundPage> => {
      const all = lines.filter(({ timeMs }) => timeMs >= from && timeMs <= to).reverse();
      return Promise.resolve({ items: all.slice(offset, offset + limit), total: all.length, complete: true });
    },
  );
  const tail = (one: TailListener) => {
    listener = one;
    return { close: () => undefined };
  };
  const feed = createLineFeed({ range, search, tail });
  const texts = (): string[] => feed.state().lines.map(({ text }) => text);
  return { feed, search, texts, tell: () => listener as TailListener };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const pass = (ms = 200): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

test('the newest page is shown, and scrolling up brings all others once', async () => {
  const all = Array.from({ length: 1000 }, (_, i) => written(1 + Math.floor(i / 450), `line ${i}`));
  const { feed, texts } = hub(all, { from: 0, to: 10, live: false });
  feed.start();
  await pass();
  expect(feed.state()).toMatchObject({ phase: 'ready', total: 1000, older: 'more' });
  expect(texts()).toHaveLength(300);
  for (let i = 0; i < 10 && feed.state().older === 'more'; i++) await feed.loadOlder();
  expect(texts()).toEqual(all.map(({ text }) => text));
  expect(feed.state().older).toBe('none');
});

test('a total that is only a lower bound hides no lines', async () => {
  const all = Array.from({ length: 700 }, (_, i) => written(i + 1));
  const { feed, search, texts } = hub(all, { from: 0, to: 1000, live: false });
  const whole = search.getMockImplementation();
  search.mockImplementation(async (page) => {
    const found = await whole?.(page);
    const seen = page.offset + (found?.items.length ?? 0);
    return { items: found?.items ?? [], total: seen, complete: seen === found?.total };
  });
  feed.start();
  await pass();
  expect(feed.state()).toMatchObject({ older: 'more', complete: false });
  for (let i = 0; i < 10 && feed.state().older === 'more'; i++) await feed.loadOlder();
  expect(texts()).toEqual(all.map(({ text }) => text));
});

test('live lines are added, and what was written during a break is asked for', async () => {
  const all = [written(10), written(20)];
  const { feed, texts, tell } = hub(all);
  feed.start();
  tell().state('live');
  await pass(4000);
  tell().lines([live(written(30))]);
  all.push(written(30));
  await pass();
  expect(texts()).toEqual(['line 10', 'line 20', 'line 30']);
  tell().state('broken');
  all.push(written(40), written(50));
  tell().state('live');
  tell().lines([live(written(50))]);
  await pass();
  expect(texts()).toEqual(['line 10', 'line 20', 'line 30', 'line 40', 'line 50']);
});

test('a person who reads further up is told how many lines came', async () => {
  const { feed, tell } = hub([written(10)]);
  feed.start();
  tell().state('live');
  await pass(4000);
  feed.follow(false);
  tell().lines([live(written(20)), live(written(30))]);
  await pass();
  expect(feed.state().unseen).toBe(2);
  feed.follow(true);
  expect(feed.state().unseen).toBe(0);
});

test('after hours of reading, following shows the newest page again', async () => {
  const all = [written(1)];
  const { feed, texts, tell } = hub(all);
  feed.start();
  tell().state('live');
  await pass(4000);
  feed.follow(false);
  for (let batch = 0; batch < 80; batch++) {
    const lines = Array.from({ length: 100 }, (_, i) => written(10 + batch * 100 + i));
    all.push(...lines);
    tell().lines(lines.map(live));
  }
  await pass();
  expect(feed.state().unseen).toBe(8000);
  expect(texts().length).toBeLessThan(6000);
  feed.follow(true);
  await pass();
  expect(texts()).toHaveLength(300);
  expect(texts().at(-1)).toBe('line 8009');
});

test('a search that fails says so and works at the next try', async () => {
  const { feed, search } = hub([written(10)]);
  search.mockRejectedValueOnce(new Error('down'));
  feed.start();
  await pass();
  expect(feed.state().phase).toBe('failed');
  feed.start();
  await pass();
  expect(feed.state().phase).toBe('ready');
});
