import type { StepBuffer } from './buffer.ts';
import type { Span } from './line.ts';

/** What all charts of a page show: the same data, time and crosshair. */
export interface ChartView {
  /** Where values come from; undefined while they are asked for. */
  source: StepBuffer | undefined;
  /** The shown time now, milliseconds; one that is live moves on. */
  range(): { from: number; to: number; live: boolean };
  spans: readonly Span[];
  zoom(fromMs: number, toMs: number): void;
  back(): void;
}
