import uPlot from 'uplot';
import type { Ink } from './colors.ts';
import type { Mark, Span } from './line.ts';

const RIBBON = 4;
/** Where each ribbon begins under the axis: what is unusual is told by its place and height, not by its colour alone. */
const BEGINS = { alerts: 1, unusual: RIBBON + 2 } as const;

/** Draws stretches of time as ribbons under the axis: alerts, and below them what is unusual. */
export function drawSpans(u: uPlot, spans: readonly Span[], ink: Ink, which: keyof typeof BEGINS): void {
  const { left, top, width, height } = u.bbox;
  const scale = uPlot.pxRatio;
  const { min = 0, max = 0 } = u.scales['x'] ?? {};
  for (const { fromMs, toMs = max, tone, weight = 1 } of spans) {
    if (fromMs > max || toMs < min) continue;
    const from = Math.max(left, u.valToPos(fromMs, 'x', true));
    const to = Math.min(left + width, u.valToPos(toMs, 'x', true));
    u.ctx.fillStyle = ink[tone];
    const tall = RIBBON * (0.5 + weight / 2);
    u.ctx.fillRect(from, top + height + BEGINS[which] * scale, Math.max(2 * scale, to - from), tall * scale);
  }
}

/** Draws moments as labelled lines across the plot. */
export function drawMarks(u: uPlot, marks: readonly Mark[], ink: Ink): void {
  const { left, top, width, height } = u.bbox;
  const scale = uPlot.pxRatio;
  const { min = 0, max = 0 } = u.scales['x'] ?? {};
  const { ctx } = u;
  let free = -Infinity;
  ctx.save();
  ctx.font = `${12 * scale}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  ctx.lineWidth = scale;
  for (const { atMs, label, tone } of marks) {
    if (atMs < min || atMs > max) continue;
    const x = Math.round(u.valToPos(atMs, 'x', true)) + 0.5;
    ctx.strokeStyle = ctx.fillStyle = ink[tone];
    ctx.setLineDash([3 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    // Words that would lie over each other are left to the crosshair.
    if (x < free) continue;
    const words = ctx.measureText(label).width;
    const start = Math.min(x + 4 * scale, left + width - words);
    // A rim of the ground keeps the words readable over lines and areas.
    ctx.setLineDash([]);
    ctx.lineWidth = 3 * scale;
    ctx.strokeStyle = ink.ground;
    ctx.strokeText(label, Math.max(left, start), top);
    ctx.fillText(label, Math.max(left, start), top);
    ctx.lineWidth = scale;
    free = start + words + 8 * scale;
  }
  ctx.restore();
}

/** What a moment is told by: the words of the spans that hold it. */
export function wordsAt(spans: readonly Span[], atMs: number): string {
  return spans
    .filter(({ fromMs, toMs = Infinity }) => atMs >= fromMs && atMs <= toMs)
    .map(({ label }) => label)
    .join(', ');
}
