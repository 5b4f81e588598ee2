import type { EventConnection, StreamState } from '../../api/events.ts';
import type { Range } from '../../time/range.ts';
import { createLineBook, type Line, type LineBook, type SentLine } from './line-book.ts';

/** A page of a search, newest line first. */
export interface FoundPage {
  items: readonly SentLine[];
  total: number;
  complete: boolean;
}

/** What the live stream tells. */
export interface TailListener {
  lines(lines: readonly SentLine[]): void;
  skipped(lines: number): void;
  state(state: StreamState): void;
}

/** What a feed stands on: the search and the live stream of one filter. */
export interface FeedGiven {
  /** Milliseconds since 1970. */
  range: Range;
  search(page: { from: number; to: number | undefined; limit: number; offset: number }): Promise<FoundPage>;
  tail(listener: TailListener): EventConnection;
}

/** What is shown of the lines, and how complete it is. */
export interface FeedState {
  lines: readonly Line[];
  phase: 'loading' | 'ready' | 'failed';
  error: unknown;
  /** Of the live stream; a fixed range has none. */
  stream: StreamState | undefined;
  /** Lines that match in the range; a lower bound unless complete. */
  total: number;
  complete: boolean;
  /** `full`: there are more, but the page holds as many as it can. */
  older: 'more' | 'loading' | 'none' | 'full' | 'failed';
  following: boolean;
  /** Lines that came since the person scrolled up. */
  unseen: number;
  /** Lines that the hub left out, because this page was too slow. */
  skipped: number;
}

const PAGE = 300;
/** Lines that are caught up with after a break; of a longer break the newest page is shown, and scrolling up shows the rest. */
const CATCH_UP = 1000;
/** Batches of different agents come this much out of order, milliseconds. */
const OVERLAP_MS = 5000;
const SETTLE_MS = 3000;
const DRAW_MS = 100;
/** Lines that are kept while following, and while someone reads further up. */
const KEPT_FOLLOWING = 3000;
const KEPT_READING = 20_000;
const UNSEEN_LIMIT = 5000;

/** What the parts of a feed share. */
interface Core {
  given: FeedGiven;
  book: LineBook;
  /** True while lines that come are only counted: nobody will read on from where they would be. */
  detached: boolean;
  stopped: boolean;
  state: FeedState;
  /** Shows a change now. */
  set(change: Partial<FeedState>): void;
  /** Shows what changed soon, together with what else comes meanwhile. */
  soon(): void;
}

const oldestFirst = (items: readonly SentLine[]): SentLine[] => [...items].reverse();

/** True when the search has lines beyond this page; a total that is not complete is only what was counted so far. */
const goesOn = ({ items, total, complete }: FoundPage, offset = 0): boolean =>
  items.length > 0 && (offset + items.length < total || !complete);

async function loadNewest(core: Core): Promise<void> {
  const { range, search } = core.given;
  try {
    const to = range.live ? undefined : range.to;
    const page = await search({ from: range.from, to, limit: PAGE, offset: 0 });
    if (core.detached) core.book = createLineBook();
    core.detached = false;
    core.book.add(oldestFirst(page.items), 'found');
    const older = goesOn(page) ? 'more' : 'none';
    core.set({ phase: 'ready', error: undefined, total: page.total, complete: page.complete, older });
  } catch (error) {
    core.set({ phase: core.state.phase === 'ready' ? 'ready' : 'failed', error });
  }
}

/** Asks for what was written since the newest line: the stream may have begun after it, or had a gap. */
async function catchUp(core: Core): Promise<void> {
  const { state, book, given } = core;
  if (state.phase !== 'ready') return loadNewest(core);
  const newest = book.lines().at(-1)?.timeMs ?? given.range.from;
  let page: FoundPage;
  try {
    const from = Math.max(given.range.from, newest - OVERLAP_MS);
    page = await given.search({ from, to: undefined, limit: CATCH_UP, offset: 0 });
  } catch {
    return; // The stream that just opened tells when it breaks again; then this is tried again.
  }
  if (goesOn(page)) {
    core.detached = true;
    return loadNewest(core);
  }
  const added = book.add(oldestFirst(page.items), 'found');
  const { total, following, unseen } = core.state;
  core.set({ total: total + added, unseen: following ? 0 : unseen + added });
}

/** Shows the page before the oldest line. */
async function loadOlder(core: Core): Promise<void> {
  const { book, state, given } = core;
  const oldest = book.lines()[0];
  if (oldest === undefined || !(state.older === 'more' || state.older === 'failed')) return;
  core.set({ older: 'loading' });
  try {
    // Many lines may have the oldest one's time: pages of it are skipped until one brings something new.
    for (let offset = 0; ; offset += PAGE) {
      const page = await given.search({ from: given.range.from, to: oldest.timeMs, limit: PAGE, offset });
      const added = book.add(oldestFirst(page.items), 'found', true);
      const more = goesOn(page, offset);
      if (added === 0 && more && !core.stopped) continue;
      return core.set({ older: more ? (book.lines().length < KEPT_READING ? 'more' : 'full') : 'none' });
    }
  } catch (error) {
    core.set({ older: 'failed', error });
  }
}

function takeLive(core: Core, lines: readonly SentLine[]): void {
  if (lines.length === 0) return;
  const { following, unseen, total } = core.state;
  if (!following && unseen > UNSEEN_LIMIT) core.detached = true;
  const added = core.detached ? lines.length : core.book.add(lines, 'live');
  core.state = { ...core.state, total: total + added, unseen: following ? 0 : unseen + added };
  if (following && core.book.lines().length > KEPT_FOLLOWING * 1.2) {
    core.book.keepNewest(KEPT_FOLLOWING);
    core.state = { ...core.state, older: 'more' };
  }
  core.soon();
}

function createCore(given: FeedGiven, changed: () => void): Core {
  let drawing: ReturnType<typeof setTimeout> | undefined;
  const stream = given.range.live ? 'connecting' : undefined;
  const core: Core = {
    given,
    book: createLineBook(),
    detached: false,
    stopped: false,
    state: {
      lines: [], phase: 'loading', error: undefined, stream, total: 0, complete: true,
      older: 'none', following: true, unseen: 0, skipped: 0,
    }, // prettier-ignore
    set(change) {
      clearTimeout(drawing);
      drawing = undefined;
      if (core.stopped) return;
      core.state = { ...core.state, ...change, lines: core.book.lines() };
      changed();
    },
    soon: () => void (drawing ??= setTimeout(() => core.set({}), DRAW_MS)),
  };
  return core;
}

/** The lines of one filter and range: pages of the past on demand, and live ones when the range has no end. */
export function createLineFeed(given: FeedGiven) {
  const listeners = new Set<() => void>();
  const core = createCore(given, () => listeners.forEach((listener) => listener()));
  let connection: EventConnection | undefined;
  let settling: ReturnType<typeof setTimeout> | undefined;
  let catching = Promise.resolve();
  const opened = (): void => {
    clearTimeout(settling);
    core.book.settle();
    catching = catching
      .then(() => catchUp(core))
      .then(() => {
        settling = setTimeout(() => core.book.settle(), SETTLE_MS);
      });
  };
  const listener: TailListener = {
    lines: (lines) => takeLive(core, lines),
    skipped: (lines) => core.set({ skipped: core.state.skipped + lines }),
    state(stream) {
      core.set({ stream });
      if (stream === 'live') opened();
    },
  };
  return {
    subscribe(each: () => void): () => void {
      listeners.add(each);
      return () => listeners.delete(each);
    },
    state: (): FeedState => core.state,
    start(): void {
      core.stopped = false;
      catching = loadNewest(core);
      connection?.close();
      if (given.range.live) connection = given.tail(listener);
    },
    stop(): void {
      core.stopped = true;
      connection?.close();
      clearTimeout(settling);
    },
    loadOlder: () => loadOlder(core),
    /** Follows the newest line, or stays where the person reads. */
    follow(following: boolean): void {
      if (following === core.state.following) return;
      if (following && core.detached) void loadNewest(core);
      core.set({ following, unseen: 0 });
    },
  };
}
export type LineFeed = ReturnType<typeof createLineFeed>;
