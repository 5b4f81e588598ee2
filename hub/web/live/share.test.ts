import { expect, test } from 'vitest';
import type { EventHandlers } from '../api/events.ts';
import { createShare, type SharedWords } from './share.ts';

/** A share over streams that a test drives. */
function shared() {
  const opened: { path: string; handlers: EventHandlers; closed: boolean }[] = [];
  const share = createShare(
    (path, handlers) => {
      const one = { path, handlers, closed: false };
      opened.push(one);
      handlers.state('connecting');
      return { close: () => void (one.closed = true) };
    },
    ['sample'],
  );
  const page = () => {
    const heard: SharedWords[] = [];
    return { heard, tell: (words: SharedWords) => void heard.push(words) };
  };
  return { opened, share, page };
}

test('two pages hear of one stream that brings what both want', () => {
  const { opened, share, page } = shared();
  const [a, b] = [page(), page()];
  share.hear(a, { wishes: [{ resources: ['x'] }] });
  opened[0]?.handlers.state('live');
  share.hear(b, { wishes: [{ resources: ['y'] }] });
  expect(opened.map(({ path }) => path.split('?')[1])).toEqual(['resource=x', 'resource=x&resource=y']);
  opened[1]?.handlers.on['sample']?.(7 as never);
  for (const { heard } of [a, b]) expect(heard.at(-1)).toEqual({ event: 'sample', data: 7 });
});

test('the old stream brings what it can until the new one lives', () => {
  const { opened, share, page } = shared();
  const a = page();
  share.hear(a, { wishes: [] });
  opened[0]?.handlers.state('live');
  share.hear(a, { wishes: [{ hosts: true }] });
  share.hear(a, { wishes: [{ hosts: true }, { resources: ['x'] }] });
  expect(opened.map(({ closed }) => closed)).toEqual([false, false, false]);
  opened[0]?.handlers.on['sample']?.(1 as never);
  expect(a.heard.at(-1)).toEqual({ event: 'sample', data: 1 });
  opened[2]?.handlers.state('live');
  expect(opened.map(({ closed }) => closed)).toEqual([true, true, false]);
  expect(a.heard.filter((words) => 'state' in words).map((words) => ('state' in words ? words.state : ''))).toEqual([
    'connecting', 'live', 'live',
  ]); // prettier-ignore
});

test('when the last page has gone nothing stays open, and a page that goes twice is gone once', () => {
  const { opened, share, page } = shared();
  const [a, b] = [page(), page()];
  share.hear(a, { wishes: [] });
  share.hear(b, { wishes: [] });
  opened[1]?.handlers.state('live');
  share.hear(a, { gone: true });
  share.hear(a, { gone: true });
  expect(opened).toHaveLength(3);
  share.hear(b, { gone: true });
  expect(opened.map(({ closed }) => closed)).toEqual([true, true, true]);
  share.hear(a, { wishes: [] });
  expect(opened).toHaveLength(4);
});
