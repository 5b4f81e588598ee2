import type { ReactNode } from 'react';
import { Sparkline } from '../../chart/sparkline.tsx';
import { liveStream } from '../../live/stream.ts';
import { usePreferences } from '../../shell/preferences.ts';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { Table, type Column } from '../../table/table.tsx';
import { useOrder } from '../../table/use-order.ts';
import type { Range } from '../../time/range.ts';
import { ago, exactTime } from '../../time/wording.ts';
import { count } from '../../units/quantity.ts';
import { onlyPattern, withoutPattern } from './filter.ts';
import { drawnSteps, patternParts } from './pattern-parts.ts';
import { plainText } from './plain-text.ts';
import { usePatterns, type LineFilter } from './queries.ts';
import type { ChangeSearch } from './use-logs-search.ts';
import './patterns.css';

type Answer = NonNullable<ReturnType<typeof usePatterns>['data']>;
type Pattern = Answer['items'][number];

const NO_KIND = '';

function Moment({ ms }: { ms: number }): ReactNode {
  const { zone } = usePreferences();
  return <time title={exactTime(ms, zone)}>{ago(ms, liveStream.now())}</time>;
}

/** Since when a kind of lines is known; new, when the shown time had begun by then. */
function Since({ row: { firstMs }, begin }: { row: Pattern; begin: number }): ReactNode {
  return (
    <span>
      <Moment ms={firstMs} />
      {firstMs >= begin && <strong className="log-new"> new</strong>}
    </span>
  );
}

function LeaveOut({ row, leaveOut }: { row: Pattern; leaveOut: (row: Pattern) => void }): ReactNode {
  return (
    <button type="button" className="link" onClick={() => leaveOut(row)}>
      Leave out
    </button>
  );
}

/** A pattern as people read it; one that nobody has named yet by its newest line. `children` follow where there is little room. */
function PatternText({
  row: { template, text, example, level, merged },
  children,
}: {
  row: Pattern;
  children: ReactNode;
}): ReactNode {
  const title = `Such as: ${plainText(example)}${merged.length === 0 ? '' : ` (with ${merged.length} merged into it)`}`;
  return (
    <span className="log-pattern" title={title}>
      <span className={`log-dot level-${level}`} role="img" aria-label={level === 'unknown' ? 'no level' : level} />
      <span className="log-pattern-words">
        {template === null ? (
          <span className="quiet">Lines without a pattern</span>
        ) : (
          <span className="log-pattern-text mono">
            {patternParts(text === '' ? example : text).map((part, index) => (
              <span key={index} className={part.varies ? 'quiet' : undefined}>
                {part.text}
              </span>
            ))}
          </span>
        )}
        {template !== null && <span className="table-second small quiet">{children}</span>}
      </span>
    </span>
  );
}

const percent = (share: number): string =>
  share > 0 && share < 0.0005
    ? '< 0.1 %'
    : share >= 0.1
      ? `${Math.round(100 * share)} %`
      : `${(100 * share).toFixed(1)} %`;

function Trend({
  row: { sparkline, count: all },
  from,
  step,
  isLive,
  ...size
}: {
  row: Pattern;
  from: number;
  step: number;
  isLive: boolean;
  width?: number;
  height?: number;
}): ReactNode {
  const values = drawnSteps(sparkline, isLive);
  return (
    <Sparkline
      {...size}
      times={values.map((_, place) => from + place * step)}
      values={values}
      from={from}
      to={from + Math.max(1, sparkline.length - 1) * step}
      most={Math.max(1, ...sparkline)}
      label={`${count(all)} lines over the range, at most ${count(Math.max(0, ...sparkline))} in one step`}
    />
  );
}

function columnsOf(
  { from, step }: Pick<Answer, 'from' | 'step'>,
  { from: begin, live: isLive }: Range,
  leaveOut: (row: Pattern) => void,
): Column<Pattern>[] {
  return [
    {
      ...{ id: 'pattern', name: 'Pattern', width: 'minmax(0, 4fr)' },
      cell: (row) => (
        <PatternText row={row}>
          <Trend row={row} from={from} step={step} isLive={isLive} width={56} height={16} />
          <Since row={row} begin={begin} />
          <LeaveOut row={row} leaveOut={leaveOut} />
        </PatternText>
      ),
      rank: ({ text, example }) => (text === '' ? example : text),
    },
    { id: 'count', name: 'Lines', width: '72px', end: true, cell: (row) => count(row.count), rank: (row) => row.count },
    {
      id: 'share',
      name: 'Share',
      width: '72px',
      end: true,
      shown: 'wide',
      cell: (row) => percent(row.share),
      rank: (row) => row.share,
    },
    {
      id: 'trend',
      name: 'Over time',
      width: '128px',
      shown: 'wide',
      cell: (row) => <Trend row={row} from={from} step={step} isLive={isLive} />,
    },
    {
      ...{ id: 'since', name: 'New since', width: '124px', shown: 'wide' },
      cell: (row) => row.template !== null && <Since row={row} begin={begin} />,
      rank: (row) => (row.template === null ? 0 : row.firstMs),
    },
    {
      id: 'last',
      name: 'Last',
      width: '104px',
      shown: 'choice',
      cell: (row) => <Moment ms={row.lastMs} />,
      rank: (row) => row.lastMs,
    },
    {
      ...{ id: 'actions', name: 'Actions', width: '88px', unnamed: true, end: true, shown: 'wide' },
      cell: (row) => row.template !== null && <LeaveOut row={row} leaveOut={leaveOut} />,
    },
  ];
}

/** Kinds of lines: a click shows the lines of one. */
export function Patterns({
  filter,
  range,
  rangeKey,
  change,
}: {
  filter: LineFilter;
  range: () => Range;
  rangeKey: string;
  change: ChangeSearch;
}): ReactNode {
  const { data, error, refetch } = usePatterns(filter, range, rangeKey);
  const order = useOrder({ column: 'count', down: true });
  if (data === undefined)
    return error === null ? (
      <Skeleton height={420} />
    ) : (
      <Fault error={error} what="the patterns" again={() => void refetch()} />
    );
  const leaveOut = ({ template }: Pattern): void => {
    if (template !== null) change(withoutPattern(template, filter));
  };
  const named = data.items.some(({ template }) => template !== null);
  const empty = (
    <Empty title="No patterns in this range">
      <p>
        Agents sort lines into patterns as they read them. Lines that match, of this range, appear here by what they
        have in common.
      </p>
    </Empty>
  );
  return (
    <div className="log-patterns">
      <Table
        name="log-patterns"
        label="Patterns of lines"
        rows={data.items}
        columns={columnsOf(data, range(), leaveOut)}
        keyOf={({ template }) => template ?? NO_KIND}
        order={order}
        text={({ text, example }) => `${text} ${example}`}
        open={({ template }) => {
          if (template !== null) change(onlyPattern(template, filter));
        }}
        empty={empty}
      />
      {!data.complete && (
        <p className="small quiet">
          There is more than could be counted in time: choose a shorter range or fewer lines.
        </p>
      )}
      {data.items.length > 0 && !named && (
        <p className="small quiet">These lines came without patterns: their agents are older, or find none.</p>
      )}
    </div>
  );
}
