import { useMemo, useRef, type ReactNode } from 'react';
import { liveStream } from '../../live/stream.ts';
import { useKeys } from '../../shell/keys.ts';
import { Menu } from '../../shell/menu.tsx';
import { usePreferences } from '../../shell/preferences.ts';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { say, sayFault } from '../../shell/toasts.tsx';
import { useKept } from '../../table/use-kept.ts';
import { useRange } from '../../time/use-range.ts';
import { exactTime, rangeLabel } from '../../time/wording.ts';
import { countsByLevel, type Histogram } from './bars.ts';
import { ContextDialog } from './context-dialog.tsx';
import { FilterBar } from './filter-bar.tsx';
import { narrows } from './filter.ts';
import { LogHistogram, useWidth } from './histogram.tsx';
import type { Line } from './line-book.ts';
import type { LineActions } from './line-detail.tsx';
import { LineFoot } from './line-foot.tsx';
import type { FeedState, LineFeed } from './line-feed.ts';
import { LineList } from './line-list.tsx';
import type { LineLook } from './line-row.tsx';
import { NoLines } from './no-lines.tsx';
import { Patterns } from './patterns.tsx';
import { idOf, useHistogram, useHosts, usePatternTexts, useSources, type LineFilter } from './queries.ts';
import { saveLines } from './save-lines.ts';
import { LEVELS, type LogsSearch } from './search.ts';
import { useLines } from './use-lines.ts';
import { useLogsSearch, type ChangeSearch } from './use-logs-search.ts';
import './logs.css';

const DAY_MS = 86_400_000;
const NOTHING_ASKED = {
  ...{ q: undefined, not: undefined, level: undefined },
  ...{ source: undefined, host: undefined, attribute: undefined },
  ...{ template: undefined, notTemplate: undefined },
};
const NO_TEXTS: ReadonlyMap<string, string> = new Map();
const NO_HOSTS: readonly { id: string; name: string }[] = [];

/** The words of the search that choose lines, on a host's page for that host only. */
function useFilter(host: string | undefined) {
  const { search, change } = useLogsSearch();
  const filter = useMemo<LineFilter>(() => {
    const { line: _line, view: _view, ...rest } = search;
    return host === undefined ? rest : { ...rest, host: [host] };
  }, [search, host]);
  return { search, change, filter };
}

function useLook(lines: readonly Line[], rest: Pick<LineLook, 'mark' | 'hosts' | 'oneHost'>) {
  const { mark, hosts, oneHost } = rest;
  const { zone } = usePreferences();
  const [wrap, setWrap] = useKept('logs.wrap', (kept) => kept === true);
  const now = exactTime(liveStream.now(), zone).slice(0, 6);
  const dated = [lines[0], lines.at(-1)].some(
    (line) => line !== undefined && exactTime(line.timeMs, zone).slice(0, 6) !== now,
  );
  const look = useMemo<LineLook>(
    () => ({ zone, wrap, dated, hosts, oneHost, mark }),
    [zone, wrap, dated, hosts, oneHost, mark],
  );
  return { look, wrap, setWrap };
}

function SaveMenu({ lines, hostName }: { lines: readonly Line[]; hostName(id: string): string }): ReactNode {
  return (
    <Menu label="Download ▾">
      {(close) =>
        (['log', 'ndjson'] as const).map((form) => (
          <button
            key={form}
            type="button"
            disabled={lines.length === 0}
            onClick={() => {
              saveLines(lines, form, hostName);
              close();
            }}
          >
            {form === 'log' ? 'The lines loaded, as text (.log)' : 'With their fields (.ndjson)'}
          </button>
        ))
      }
    </Menu>
  );
}

/** The bars of the filter's lines over the page's range. */
function Bars({ histogram, levels }: { histogram: Histogram | undefined; levels: readonly string[] }): ReactNode {
  const { zoom } = useRange();
  const zoomed = useRef(0);
  return (
    <LogHistogram
      data={histogram}
      levels={levels}
      zoom={(start, end) => {
        zoomed.current += 1;
        zoom(start, end);
      }}
      back={() => zoomed.current-- > 0 && history.back()}
    />
  );
}

/** Lines, or what kinds of them there are. */
function ViewSwitch({ view, change }: { view: LogsSearch['view']; change: ChangeSearch }): ReactNode {
  return (
    <div className="row log-views" role="group" aria-label="What is shown">
      {([undefined, 'patterns'] as const).map((one) => (
        <button key={one ?? ''} type="button" aria-pressed={view === one} onClick={() => change({ view: one })}>
          {one === undefined ? 'Lines' : 'Patterns'}
        </button>
      ))}
    </div>
  );
}

/** The lines that were found; `children` stand in for them when there are none. */
function FoundLines({
  feed,
  state,
  listKey,
  look,
  actions,
  children,
}: {
  feed: LineFeed;
  state: FeedState;
  listKey: string;
  look: LineLook;
  actions: LineActions;
  children: ReactNode;
}): ReactNode {
  return (
    <>
      {state.phase === 'failed' && <Fault error={state.error} what="the lines" again={() => feed.start()} />}
      {state.phase === 'loading' && <Skeleton height={420} />}
      {state.phase === 'ready' && state.lines.length === 0 && children}
      {state.lines.length > 0 && (
        <div className="log-box">
          <LineList key={listKey} feed={feed} state={state} look={look} actions={actions} />
          <LineFoot state={state} follow={() => feed.follow(true)} />
        </div>
      )}
    </>
  );
}

/** Says what came to pass in the range: how many lines, and how many of them are bad. */
export type Tell = (histogram: Histogram | undefined) => ReactNode;

/** The search, the bars and the lines. With a host it shows only that host's. */
export function LogView({ host, heading }: { host?: string; heading?: Tell }): ReactNode {
  const { search, change, filter } = useFilter(host);
  const { text, range, show, live } = useRange();
  const { data: hosts = NO_HOSTS } = useHosts();
  const only = host ?? (search.host?.length === 1 ? search.host[0] : hosts.length === 1 ? hosts[0]?.id : undefined);
  const { data: sources } = useSources(only);
  const { feed, state, key } = useLines(filter);
  const [drawing, width] = useWidth();
  const { data: histogram } = useHistogram(filter, range, { key: JSON.stringify(text), width });
  const names = useMemo(() => new Map(hosts.map(({ id, name }) => [id, name])), [hosts]);
  const { look, wrap, setWrap } = useLook(state.lines, { mark: search.q, hosts: names, oneHost: only !== undefined });
  useKeys([{ keys: 'w', does: 'Wrap lines or cut them', run: () => setWrap(!wrap) }]);
  const around = (line: Line): void => {
    idOf(line).then(
      (id) =>
        id === undefined ? say('The search does not know this line yet. Try again in a moment.') : change({ line: id }),
      sayFault,
    );
  };
  const actions: LineActions = { search, change, hostIds: [...names.keys()], around };
  const { from, to } = range();
  const picked = [...(search.template ?? []), ...(search.notTemplate ?? [])];
  const { data: texts = NO_TEXTS } = usePatternTexts(picked, range, JSON.stringify(text));
  return (
    <div className={host === undefined ? 'log-page' : 'log-page inside'}>
      {heading?.(histogram)}
      <FilterBar
        search={search}
        change={change}
        hosts={hosts}
        sources={only === undefined ? undefined : sources?.items}
        counts={histogram === undefined ? undefined : countsByLevel(histogram)}
        oneHost={host !== undefined}
        texts={texts}
      >
        <ViewSwitch view={search.view} change={change} />
        <button type="button" aria-pressed={wrap} title="Wrap lines or cut them (w)" onClick={() => setWrap(!wrap)}>
          Wrap
        </button>
        <SaveMenu lines={state.lines} hostName={(id) => names.get(id) ?? id} />
      </FilterBar>
      <div ref={drawing}>
        <Bars histogram={histogram} levels={search.level ?? LEVELS} />
      </div>
      {search.view === 'patterns' ? (
        <Patterns filter={filter} range={range} rangeKey={JSON.stringify(text)} change={change} />
      ) : (
        <FoundLines feed={feed} state={state} listKey={key} look={look} actions={actions}>
          <NoLines
            narrowed={narrows({ ...search, host: host === undefined ? search.host : undefined })}
            range={rangeLabel(text, liveStream.now(), look.zone)}
            lastDay={to - from < DAY_MS ? () => show({ from: '-1d' }) : undefined}
            showAll={() => change(NOTHING_ASKED)}
          />
          {live && <p className="small quiet">New lines appear here as they are written.</p>}
        </FoundLines>
      )}
      {search.line !== undefined && (
        <ContextDialog
          key={search.line}
          id={search.line}
          look={look}
          actions={{ ...actions, around: undefined }}
          close={() => change({ line: undefined })}
        />
      )}
    </div>
  );
}
