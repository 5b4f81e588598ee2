import { useEffect, useMemo, useRef, useState, type PointerEvent, type ReactNode } from 'react';
import { usePreferences } from '../../shell/preferences.ts';
import { exactTime, clockTime } from '../../time/wording.ts';
import { count } from '../../units/quantity.ts';
import { barsOf, type Bar, type Histogram } from './bars.ts';
import { LEVELS } from './search.ts';

/** The width of an element, followed as it changes. */
export function useWidth(): [ref: React.RefObject<HTMLDivElement | null>, width: number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const node = ref.current;
    if (node === null) return;
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

function Tip({ bar, step, counts }: { bar: Bar; step: number; counts: Readonly<Record<string, number>> }): ReactNode {
  const { zone } = usePreferences();
  const right = bar.x + bar.width / 2 > 0.5;
  const place = right ? { right: `${(1 - bar.x) * 100}%` } : { left: `${(bar.x + bar.width) * 100}%` };
  return (
    <div className="log-tip small" style={place} role="status">
      <div className="quiet">
        {exactTime(bar.timeMs, zone)}–{clockTime(bar.timeMs + step, zone)}
      </div>
      {LEVELS.filter((level) => (counts[level] ?? 0) > 0).map((level) => (
        <div key={level} className="log-tip-line">
          <span className={`log-dot level-${level}`} />
          <span className="grow">{level}</span>
          <span>{count(counts[level] ?? 0)}</span>
        </div>
      ))}
    </div>
  );
}

/** What is pointed at and dragged over, as shares of the width. */
interface Pointing {
  at: number;
  from?: number | undefined;
}

const shareOf = (event: PointerEvent<HTMLElement>): number => {
  const { left, width } = event.currentTarget.getBoundingClientRect();
  return Math.min(1, Math.max(0, (event.clientX - left) / width));
};
/** A shorter drag is a click, as a share of the width. */
const SHORTEST_DRAG = 0.005;

function Drawing({ bars, at }: { bars: readonly Bar[]; at: Bar | undefined }): ReactNode {
  return (
    <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
      {bars.map(({ timeMs, x, width, pieces }) => (
        <g key={timeMs} className={at !== undefined && at.timeMs !== timeMs ? 'dim' : ''}>
          {pieces.map(({ level, y, height }) => (
            <rect
              key={level}
              className={`level-${level}`}
              x={x + width * 0.06}
              width={width * 0.88}
              y={y}
              height={height}
            />
          ))}
        </g>
      ))}
    </svg>
  );
}

/** Lines per step of time, stacked by level. Dragging zooms; a double click goes back. */
export function LogHistogram({
  data,
  levels,
  zoom,
  back,
}: {
  data: Histogram | undefined;
  /** Those that are shown. */
  levels: readonly string[];
  zoom(fromMs: number, toMs: number): void;
  back(): void;
}): ReactNode {
  const [pointing, setPointing] = useState<Pointing>();
  const drawn = useMemo(() => (data === undefined ? undefined : barsOf(data, levels)), [data, levels]);
  if (data === undefined || drawn === undefined)
    return <div className="log-histogram" role="status" aria-label="Loading" />;
  const { from, to, step, buckets } = data;
  const bar = drawn.bars.find(({ x, width }) => pointing !== undefined && pointing.at >= x && pointing.at < x + width);
  const counts = buckets.find(({ timeMs }) => timeMs === bar?.timeMs)?.counts;
  const total = drawn.bars.reduce((sum, one) => sum + one.total, 0);
  const done = (event: PointerEvent<HTMLDivElement>): void => {
    const [start, end] = [pointing?.from, shareOf(event)];
    setPointing({ at: end });
    if (start === undefined || Math.abs(end - start) < SHORTEST_DRAG) return;
    const [left, right] = [Math.min(start, end), Math.max(start, end)];
    zoom(from + left * (to - from), from + right * (to - from));
  };
  const drag =
    pointing?.from === undefined
      ? undefined
      : [Math.min(pointing.from, pointing.at), Math.max(pointing.from, pointing.at)];
  return (
    <div
      className="log-histogram"
      role="img"
      aria-label={`${count(total)} lines over time, at most ${count(drawn.most)} in a bar`}
      onPointerMove={(event) => setPointing({ at: shareOf(event), from: pointing?.from })}
      onPointerLeave={() => pointing?.from === undefined && setPointing(undefined)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setPointing({ at: shareOf(event), from: shareOf(event) });
      }}
      onPointerUp={done}
      onPointerCancel={() => setPointing(undefined)}
      onDoubleClick={back}
    >
      <Drawing bars={drawn.bars} at={bar} />
      {drag !== undefined && (
        <div
          className="log-drag"
          style={{ left: `${(drag[0] ?? 0) * 100}%`, right: `${(1 - (drag[1] ?? 0)) * 100}%` }}
        />
      )}
      {bar !== undefined && counts !== undefined && pointing?.from === undefined && (
        <Tip bar={bar} step={step} counts={counts} />
      )}
      {total > 0 && <span className="log-most small quiet">{count(drawn.most)}</span>}
    </div>
  );
}
