import uPlot from 'uplot';
import type { KeyboardEvent } from 'react';
import { CROSSHAIR } from './plot.ts';
import type { ChartView } from './view.ts';

function place(u: uPlot, index: number | undefined): void {
  const at = index === undefined ? undefined : u.data[0][index];
  for (const plot of uPlot.sync(CROSSHAIR).plots)
    plot.setCursor(at === undefined ? { left: -10, top: -10 } : { left: plot.valToPos(at, 'x'), top: 1 });
}

function zoomed(u: uPlot, view: ChartView, factor: number): void {
  const { from, to } = view.range();
  const index = u.cursor.idx;
  const middle = (typeof index === 'number' ? u.data[0][index] : undefined) ?? (from + to) / 2;
  view.zoom(middle - (middle - from) * factor, middle + (to - middle) * factor);
}

/** Moves the crosshair, or zooms around it, by keys. False when the key means nothing here. */
export function moveCrosshair(u: uPlot, { key, shiftKey }: KeyboardEvent, view: ChartView): boolean {
  const last = u.data[0].length - 1;
  const now = (u.cursor.left ?? -1) >= 0 ? (u.cursor.idx ?? last) : last + 1;
  const step = shiftKey ? 10 : 1;
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: now - step,
    ArrowRight: now + step,
    Home: 0,
    End: last,
  };
  const target = targets[key];
  if (target !== undefined) place(u, Math.max(0, Math.min(last, target)));
  else if (key === '+' || key === '=') zoomed(u, view, 0.5);
  else if (key === '-') zoomed(u, view, 2);
  else if (key === 'Escape') place(u, undefined);
  else return false;
  return true;
}
