import 'uplot/dist/uPlot.min.css';
import { memo, useCallback, useId, useMemo, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { usePreferences, useTheme } from '../shell/preferences.ts';
import { ChartMenu } from './chart-menu.tsx';
import { palette, readInk } from './colors.ts';
import type { Columns } from './buffer.ts';
import { fillLegend, Legend, summaryOf } from './legend.tsx';
import type { ChartLine, Mark, Span } from './line.ts';
import { wordsAt } from './marks.ts';
import { moveCrosshair } from './crosshair.ts';
import { usePlot } from './use-plot.ts';
import type { ChartView } from './view.ts';
import './chart.css';

/** What a chart shows. */
export interface ChartProps {
  /** Names it in the address and in files. */
  id: string;
  title: string;
  /** What it is, in one sentence. */
  help?: string | undefined;
  /** UCUM. */
  unit: string;
  lines: readonly ChartLine[];
  /** Areas on each other instead of lines beside each other. */
  stack?: boolean | undefined;
  /** The axis reaches at least this far. */
  ceiling?: number | undefined;
  marks?: readonly Mark[] | undefined;
  /** When its metrics were unlike their past. */
  unusual?: readonly Span[] | undefined;
  view: ChartView;
  /** The line that is shown alone. */
  only?: string | undefined;
  /** Shows one line of a chart alone, or all again. Must stay the same function, as all here should, so that a chart is not made anew. */
  isolate(chart: string, key: string | undefined): void;
}

const HEIGHT = 168;
const NO_MARKS: readonly Mark[] = [];
const NO_SPANS: readonly Span[] = [];
/** More lines than this have no bands around them: nobody could tell them apart. */
const BANDS = 3;
/** How often the words for screen readers are made anew, milliseconds. */
const SUMMARY_MS = 10_000;

function useColors(id: string, lines: readonly ChartLine[]): readonly number[] {
  return useMemo(() => {
    const given = palette.assign(
      id,
      lines.filter(({ color }) => color === undefined).map(({ label }) => label),
    );
    let next = 0;
    return lines.map(({ color }) => color ?? given[next++] ?? 0);
  }, [id, lines]);
}

function ChartOf(props: ChartProps): ReactNode {
  const { id, title, help, unit, lines, stack = false, ceiling, marks = NO_MARKS, view, only, isolate } = props;
  const { unusual = NO_SPANS } = props;
  const theme = useTheme();
  const { zone } = usePreferences();
  const ink = useMemo(() => readInk(), [theme]);
  const colors = useColors(id, lines);
  const place = useRef<HTMLDivElement>(null);
  const table = useRef<HTMLTableElement>(null);
  const note = useRef<HTMLSpanElement>(null);
  const summary = useRef<HTMLParagraphElement>(null);
  const summarised = useRef(0);
  const read = useRef<Columns>({ times: [], lines: [] });
  const words = useId();
  const keys = useMemo(() => lines.map(({ key }) => key), [lines]);
  const alone = only !== undefined && keys.includes(only) ? only : undefined;
  const shown = useMemo(() => keys.map((key) => alone === undefined || key === alone), [keys, alone]);
  const inks = colors.filter((_, index) => shown[index]).map((color) => ink.series[color] ?? ink.text);
  const stacks = stack && alone === undefined;
  const bands = !stacks && inks.length <= BANDS && (view.source?.stepMs ?? 0) > 1000;
  const drew = (columns: Columns, hovered: number | undefined): void => {
    read.current = columns;
    const newest = keys.map((key) => view.source?.newest(key));
    const figures = { columns, newest, unit, hovered, zone, live: view.range().live };
    if (table.current !== null) fillLegend(table.current, figures);
    const at = hovered === undefined ? undefined : columns.times[hovered];
    const told = at === undefined ? '' : wordsAt([...view.spans, ...unusual], at);
    if (note.current !== null && note.current.textContent !== told) note.current.textContent = told;
    if (performance.now() - summarised.current < SUMMARY_MS || summary.current === null) return;
    summarised.current = performance.now();
    summary.current.textContent = summaryOf(lines, figures);
  };
  const shape = { colors: inks, stack: stacks, bands, unit, ceiling, zone, ink };
  const plot = usePlot(place, { view, shape, height: HEIGHT, keys, shown, marks, unusual, drew });
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (plot.current === undefined || !moveCrosshair(plot.current.uplot, event, view)) return;
      event.preventDefault();
      event.stopPropagation();
    },
    [plot, view],
  );
  return (
    <figure className="chart" id={`chart-${id}`} aria-label={title}>
      <figcaption>
        <h3 title={help}>{title}</h3>
        <span className="chart-note small cut" ref={note} />
        <ChartMenu {...{ id, title, lines, colors, ink }} plot={() => plot.current} columns={() => read.current} />
      </figcaption>
      <div
        className={view.source === undefined ? 'chart-plot skeleton' : 'chart-plot'}
        style={{ height: HEIGHT }}
        ref={place}
        tabIndex={0}
        role="group"
        aria-roledescription="chart"
        aria-label={`${title}. Arrow keys move the crosshair, plus and minus zoom.`}
        aria-describedby={words}
        onKeyDown={onKeyDown}
      />
      <p className="unseen" id={words} ref={summary} />
      <Legend {...{ lines, colors, table }} only={alone} isolate={(key) => isolate(id, key)} />
    </figure>
  );
}

/** Lines or areas over time with a legend that is a table. */
export const Chart = memo(ChartOf);
