/** A line of a chart. */
export interface ChartLine {
  /** Names it in the source and in the address. */
  key: string;
  /** What people call it; the same has the same colour in all charts. */
  label: string;
  /** A fixed place in the palette; without one the label decides. */
  color?: number | undefined;
}

/** How loud something beside the lines is. */
export type Tone = 'mark' | 'info' | 'warning' | 'critical';

/** A moment that is worth a line across: an alert, a reboot, a deployment. */
export interface Mark {
  atMs: number;
  label: string;
  tone: Tone;
}

/** A stretch of time that is shown as a ribbon under the axis. It lasts still when it has no end. */
export interface Span {
  fromMs: number;
  toMs: number | undefined;
  label: string;
  tone: Tone;
  /** How tall it is drawn, 0 to 1; half a ribbon and more. Without it a whole one. */
  weight?: number;
}
