import { useEffect, useRef, type RefObject } from 'react';
import type { Columns } from './buffer.ts';
import type { Mark, Span } from './line.ts';
import { createPlot, type Plot, type PlotShape } from './plot.ts';
import { onBeat, onView } from './redraw.ts';
import type { ChartView } from './view.ts';

/** What a plot on the page needs. */
export interface PlotGiven {
  view: ChartView;
  shape: Omit<PlotShape, 'size'>;
  height: number;
  /** Lines to read, and which of them to draw. */
  keys: readonly string[];
  shown: readonly boolean[];
  marks: readonly Mark[];
  unusual: readonly Span[];
  /** What was read, when it was drawn anew or the crosshair moved. */
  drew(columns: Columns, hovered: number | undefined): void;
}

interface Session {
  draw(force: boolean): void;
  end(): void;
}

/** Draws into a place whenever something has changed and somebody can see it. */
function startPlot(
  place: HTMLElement,
  given: { readonly current: PlotGiven },
  keep: (plot: Plot | undefined) => void,
): Session {
  let plot: Plot | undefined;
  let visible = false;
  let drawn = '';
  let columns: Columns = { times: [], lines: [] };
  const hovered = (): number | undefined => {
    const { left = -1, idx } = plot?.uplot.cursor ?? {};
    return left >= 0 ? (idx ?? undefined) : undefined;
  };
  const make = (width: number): Plot => {
    const { shape, height } = given.current;
    return createPlot(
      place,
      { ...shape, size: { width, height } },
      {
        zoom: (from, to) => given.current.view.zoom(from, to),
        back: () => given.current.view.back(),
        hover: (index) => given.current.drew(columns, index),
        visible: () => visible,
        marks: () => given.current.marks,
        spans: () => given.current.view.spans,
        unusual: () => given.current.unusual,
      },
    );
  };
  const draw = (force: boolean): void => {
    const { view, keys, shown } = given.current;
    const width = place.clientWidth;
    if (!visible || view.source === undefined || width < 80) return;
    if (plot === undefined) keep((plot = make(width)));
    if (plot.uplot.select.width > 0) return;
    const { from, to, live } = view.range();
    // A live axis moves by whole pixels: what would look the same is not drawn again.
    const pixel = live ? (to - from) / width : 1;
    const now = `${view.source.version()} ${Math.floor(to / pixel)} ${Math.floor(from / pixel)}`;
    if (!force && now === drawn) return;
    drawn = now;
    columns = view.source.read(keys, from, to);
    plot.draw({ times: columns.times, lines: columns.lines.filter((_, index) => shown[index]) }, from, to);
    given.current.drew(columns, hovered());
  };
  const unwatch = onView(place, (seen) => {
    visible = seen;
    if (seen) draw(false);
  });
  const unbeat = onBeat(() => draw(false));
  const sizes = new ResizeObserver(() => {
    const width = place.clientWidth;
    if (plot === undefined || width < 80 || plot.uplot.width === width) return;
    plot.uplot.setSize({ width, height: given.current.height });
  });
  sizes.observe(place);
  return {
    draw,
    end() {
      unwatch();
      unbeat();
      sizes.disconnect();
      plot?.uplot.destroy();
      keep(undefined);
    },
  };
}

/** Keeps a plot in a place. Returns it, once it was seen. */
export function usePlot(place: RefObject<HTMLElement | null>, given: PlotGiven): RefObject<Plot | undefined> {
  const newest = useRef(given);
  const plot = useRef<Plot | undefined>(undefined);
  const session = useRef<Session | undefined>(undefined);
  const look = JSON.stringify([given.shape, given.height]);
  useEffect(() => {
    newest.current = given;
  });
  useEffect(() => {
    if (place.current === null) return;
    const started = startPlot(place.current, newest, (made) => (plot.current = made));
    session.current = started;
    return () => started.end();
  }, [place, look]);
  const { view, keys, shown, marks, unusual } = given;
  useEffect(() => session.current?.draw(true), [view, keys, shown, marks, unusual]);
  return plot;
}
