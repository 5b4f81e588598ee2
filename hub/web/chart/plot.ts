import uPlot from 'uplot';
import type { Zone } from '../time/range.ts';
import { axisTime } from '../time/wording.ts';
import { scaled, scalingFor } from '../units/quantity.ts';
import type { Columns } from './buffer.ts';
import { blend, veil, type Ink } from './colors.ts';
import { beside, stacked } from './drawn.ts';
import type { Mark, Span } from './line.ts';
import { drawMarks, drawSpans } from './marks.ts';
import { pan } from './pan.ts';
import { axisFor, ticksOf, timeDistance, timeTicks, type Axis } from './ticks.ts';

/** All charts of the page share one crosshair under this name. */
export const CROSSHAIR = 'page';
/** Room for the words of the two axes, pixels. */
export const AXIS_WIDTH = 78;
const AXIS_HEIGHT = 30;
/** Room for half a time of day behind the axis. */
export const AXIS_END = 18;
/** How wide half a letter is, pixels. */
const HALF_LETTER = 3.5;

/** How a plot looks. */
export interface PlotShape {
  /** Colours of the lines, in their order. */
  colors: readonly string[];
  stack: boolean;
  /** Whether a band from the least to the most is drawn around each line. */
  bands: boolean;
  unit: string;
  /** The axis reaches at least this far. */
  ceiling: number | undefined;
  zone: Zone;
  ink: Ink;
  size: { width: number; height: number };
}

/** What a plot tells and asks. */
export interface PlotHands {
  zoom(fromMs: number, toMs: number): void;
  back(): void;
  /** The crosshair moved to a step, or went away. */
  hover(index: number | undefined): void;
  /** Whether the crosshair of other charts matters here. */
  visible(): boolean;
  marks(): readonly Mark[];
  spans(): readonly Span[];
  unusual(): readonly Span[];
}

/** A drawn chart. */
export interface Plot {
  uplot: uPlot;
  draw(columns: Columns, fromMs: number, toMs: number): void;
}

/** Points between two gaps: no line reaches them, so they are drawn as points. */
function lonely(u: uPlot, series: number): number[] | null {
  const values = u.data[series] ?? [];
  const known = (index: number): boolean => typeof values[index] === 'number';
  const found: number[] = [];
  for (let index = 0; index < values.length; index++)
    if (known(index) && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null) found.push(index);
  return found.length === 0 ? null : found;
}

function seriesOf({ colors, stack, bands, ink }: PlotShape): uPlot.Series[] {
  const plain: uPlot.Series = {
    points: { show: false, size: 4, filter: (u, series) => lonely(u, series) },
  };
  if (stack) {
    return [...colors]
      .reverse()
      .map((color) => ({ ...plain, width: 1, stroke: color, fill: blend(color, ink.ground, 0.55) }));
  }
  const edge: uPlot.Series = { points: { show: false }, width: 0 };
  const fill = colors.length === 1;
  return colors.flatMap((color): uPlot.Series[] => {
    const line: uPlot.Series = { ...plain, width: 1.5, stroke: color };
    if (fill) line.fill = veil(color, 0.1);
    return bands ? [line, edge, edge] : [line];
  });
}

function axesOf({ zone, ink, unit, stack }: PlotShape, axis: () => Axis): uPlot.Axis[] {
  const look = {
    stroke: ink.quiet,
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    // Over areas the lines of the grid must not cut.
    grid: { stroke: stack ? veil(ink.quiet, 0.25) : ink.grid, width: 1 },
    ticks: { show: false },
  };
  let distance = 0;
  return [
    {
      ...look,
      size: AXIS_HEIGHT,
      gap: 12,
      splits: (u, _axis, from, to) => {
        distance = timeDistance(to - from, u.bbox.width / uPlot.pxRatio);
        return timeTicks(from, to, distance, zone);
      },
      values: (u, ticks) =>
        ticks.map((tick) => {
          const words = axisTime(tick, distance, zone);
          const room = u.bbox.width / uPlot.pxRatio - u.valToPos(tick, 'x') + AXIS_END;
          return words.length * HALF_LETTER > room ? '' : words;
        }),
    },
    {
      ...look,
      size: AXIS_WIDTH,
      gap: 6,
      splits: () => ticksOf(axis()),
      values: (_u, ticks) => {
        const scaling = scalingFor(Math.max(Math.abs(axis().top), Math.abs(axis().low)), unit);
        return ticks.map((tick) => (tick === 0 ? '0' : scaled(tick, scaling)));
      },
    },
  ];
}

function cursorOf({ stack, bands }: PlotShape, hands: PlotHands): uPlot.Cursor {
  return {
    y: false,
    points: { show: !stack, size: (_u, index) => (bands && index % 3 !== 1 ? 0 : 7) },
    drag: { x: true, y: false, setScale: false, dist: 4 },
    sync: {
      key: CROSSHAIR,
      setSeries: false,
      scales: ['x', null],
      // The crosshair is shared; a selection belongs to the chart where it was made.
      filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave', sub: () => hands.visible() },
    },
    bind: {
      mousedown: (u, _place, select) => (event) => {
        if (event.button !== 0) return null;
        if (event.shiftKey) pan(u, event, hands.zoom);
        else select(event);
        return null;
      },
      dblclick: () => () => {
        hands.back();
        return null;
      },
    },
  };
}

/** Makes an empty plot in a place of the page. */
export function createPlot(place: HTMLElement, shape: PlotShape, hands: PlotHands): Plot {
  let axis: Axis = axisFor({ low: 0, most: shape.ceiling ?? 0, unit: shape.unit });
  const { colors, bands, stack, ink } = shape;
  const options: uPlot.Options = {
    ...shape.size,
    ms: 1,
    padding: [8, AXIS_END, 0, 0],
    legend: { show: false },
    scales: { x: { time: false, auto: false }, y: { auto: false } },
    series: [{}, ...seriesOf(shape)],
    axes: axesOf(shape, () => axis),
    cursor: cursorOf(shape, hands),
    drawOrder: stack ? (['series', 'axes'] as uPlot.DrawOrderKey[]) : (['axes', 'series'] as uPlot.DrawOrderKey[]),
    hooks: {
      setCursor: [(u) => hands.hover((u.cursor.left ?? -1) >= 0 ? (u.cursor.idx ?? undefined) : undefined)],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          if (width > 4) hands.zoom(u.posToVal(left, 'x'), u.posToVal(left + width, 'x'));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      draw: [
        (u) => {
          drawSpans(u, hands.spans(), ink, 'alerts');
          drawSpans(u, hands.unusual(), ink, 'unusual');
          drawMarks(u, hands.marks(), ink);
        },
      ],
    },
  };
  if (bands) {
    options.bands = colors.map((color, line) => ({ series: [line * 3 + 2, line * 3 + 3], fill: veil(color, 0.18) }));
  }
  const uplot = new uPlot(options, [[]], place);
  return {
    uplot,
    draw(columns, fromMs, toMs) {
      const drawn = stack ? stacked(columns) : beside(columns, bands);
      axis = axisFor({ low: drawn.low, most: Math.max(drawn.most, shape.ceiling ?? 0), unit: shape.unit });
      uplot.batch(() => {
        uplot.setData(drawn.data, false);
        uplot.setScale('x', { min: fromMs, max: toMs });
        uplot.setScale('y', { min: axis.low, max: axis.top });
      });
    },
  };
}
