import { useVirtualizer } from '@tanstack/react-virtual';
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
} from 'react';
import { useKeys } from '../../shell/keys.ts';
import type { FeedState, LineFeed } from './line-feed.ts';
import type { Line } from './line-book.ts';
import { LineDetail, type LineActions } from './line-detail.tsx';
import { LineRow, type LineLook } from './line-row.tsx';

const ROW_PX = 20;
/** Up to this width of the window a line takes two rows, pixels. */
const NARROW_PX = 760;
/** Height of the note above the oldest line, and how far from it older lines are asked for. */
const NOTE_PX = 28;
const NEAR_TOP_PX = 800;
const NEAR_END_PX = 24;
/** A person moved the list when it moves so soon after a wheel, a touch or a key, milliseconds. */
const INTENT_MS = 400;
const SCROLL_KEYS = new Set(['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End', ' ']);

function OlderNote({ older, error, load }: { older: FeedState['older']; error: unknown; load(): void }): ReactNode {
  if (older === 'loading') return <span role="status">Loading older lines …</span>;
  if (older === 'full') return <span>The page holds no more lines. Choose an earlier range to read on.</span>;
  if (older === 'none') return <span>These are the first lines of the range</span>;
  return (
    <>
      {older === 'failed' && (
        <span>{error instanceof Error ? error.message : 'Older lines could not be loaded.'} </span>
      )}
      <button type="button" className="link" onClick={load}>
        {older === 'failed' ? 'Try again' : 'Load older lines'}
      </button>
    </>
  );
}

/** Knows whether a movement of the list was a person's. */
function useIntent() {
  const at = useRef(0);
  const held = useRef(false);
  useEffect(() => {
    const release = (): void => void (held.current = false);
    addEventListener('pointerup', release);
    return () => removeEventListener('pointerup', release);
  }, []);
  const note = useCallback(() => void (at.current = performance.now()), []);
  const hold = useCallback(() => void (held.current = true), []);
  const moved = useCallback(() => held.current || performance.now() - at.current < INTENT_MS, []);
  return { note, hold, moved };
}

/** Which line the keys stand on and which are open. */
function useOpenLines(lines: readonly Line[], feed: LineFeed) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<string>();
  const toggle = useCallback(
    (key: string): void => {
      setCursor(key);
      setOpen((before) => {
        const next = new Set(before);
        if (!next.delete(key)) next.add(key);
        return next;
      });
      // What someone reads must not run away.
      feed.follow(false);
    },
    [feed],
  );
  const close = (): void => {
    setOpen(new Set());
    setCursor(undefined);
  };
  const index = cursor === undefined ? -1 : lines.findIndex(({ key }) => key === cursor);
  return { open, cursor, index, toggle, close, stand: setCursor };
}

/** The lines that are in sight, and where they stand. */
function useRows(scroller: RefObject<HTMLDivElement | null>, { lines, following }: FeedState, wrap: boolean) {
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (innerWidth <= NARROW_PX ? 2 : 1) * ROW_PX,
    getItemKey: useCallback((at: number) => lines[at]?.key ?? at, [lines]),
    overscan: 16,
    paddingStart: NOTE_PX,
    paddingEnd: 4,
    anchorTo: 'end',
    followOnAppend: following,
    scrollEndThreshold: NEAR_END_PX,
  });
  useLayoutEffect(() => rows.measure(), [rows, wrap]);
  useLayoutEffect(() => {
    if (following && lines.length > 0) rows.scrollToEnd();
  }, [rows, following, lines]);
  return rows;
}

/** Follows while a person stays at the end, and asks for older lines near the top. */
function useScrolled(scroller: RefObject<HTMLDivElement | null>, feed: LineFeed, moved: () => boolean) {
  const top = useRef(0);
  return (): void => {
    const node = scroller.current;
    if (node === null) return;
    const up = node.scrollTop < top.current - 1;
    const down = node.scrollTop > top.current + 1;
    top.current = node.scrollTop;
    const atEnd = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END_PX;
    if (!moved()) return;
    if (atEnd && down) feed.follow(true);
    else if (up && !atEnd) feed.follow(false);
    if (up && node.scrollTop < NEAR_TOP_PX && feed.state().older === 'more') void feed.loadOlder();
  };
}

/** What a list of lines shows and does. */
interface LineListGiven {
  feed: LineFeed;
  state: FeedState;
  look: LineLook;
  actions: LineActions;
}

/** Lines of a feed, newest at the bottom. It follows until a person scrolls up. */
export function LineList({ feed, state, look, actions }: LineListGiven): ReactNode {
  const { lines, older } = state;
  const scroller = useRef<HTMLDivElement>(null);
  const intent = useIntent();
  const { open, cursor, index, toggle, close, stand } = useOpenLines(lines, feed);
  const rows = useRows(scroller, state, look.wrap);
  const scrolled = useScrolled(scroller, feed, intent.moved);
  const move = (by: number): void => {
    const next = Math.min(lines.length - 1, Math.max(0, index < 0 ? lines.length - 1 : index + by));
    const line = lines[next];
    if (line === undefined) return;
    feed.follow(false);
    stand(line.key);
    rows.scrollToIndex(next, { align: 'auto' });
    scroller.current?.focus({ preventScroll: true });
  };
  useKeys([
    { keys: 'j', does: 'Next line', run: () => move(1) },
    { keys: 'k', does: 'Line before', run: () => move(-1) },
  ]);
  const key = (event: KeyboardEvent): void => {
    if (SCROLL_KEYS.has(event.key)) intent.note();
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter' && cursor !== undefined) toggle(cursor);
    if (event.key === 'Escape') close();
  };
  return (
    <div
      ref={scroller}
      className={`log-lines${look.wrap ? ' wrap' : ''}`}
      role="region"
      aria-label="Log lines"
      tabIndex={0}
      onScroll={scrolled}
      onWheel={intent.note}
      onTouchMove={intent.note}
      onPointerDown={intent.hold}
      onKeyDown={key}
    >
      <div className="log-older small quiet">
        <OlderNote older={older} error={state.error} load={() => void feed.loadOlder()} />
      </div>
      <div role="list" className="log-space" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index: at, key: rowKey, start }) => {
          const line = lines[at];
          if (line === undefined) return null;
          const opened = open.has(line.key);
          return (
            <div
              key={rowKey}
              ref={rows.measureElement}
              data-index={at}
              role="listitem"
              aria-setsize={lines.length}
              aria-posinset={at + 1}
              className="log-place"
              style={{ transform: `translateY(${start}px)` }}
            >
              <LineRow line={line} look={look} open={opened} current={cursor === line.key} toggle={toggle} />
              {opened && <LineDetail line={line} look={look} actions={actions} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}
