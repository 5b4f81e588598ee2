import type { ReactNode } from 'react';

/** A small line without axes. */
export interface SparklineGiven {
  times: readonly number[];
  values: readonly number[];
  from: number;
  to: number;
  /** The top of the picture; the bottom is zero. */
  most: number;
  /** What it shows, for those who do not see it. */
  label: string;
  width?: number;
  height?: number;
}

/** A pause of more than this many usual distances is a gap. */
const GAP_DISTANCES = 3.5;

/** Strokes of a small line, one for each stretch without a gap; coordinates with one decimal keep the markup short. */
export function strokesOf(given: SparklineGiven & { width: number; height: number }): string[] {
  const { times, values, from, to, most, width, height } = given;
  const usual = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const longest = (usual / Math.max(1, times.length - 1)) * GAP_DISTANCES;
  const strokes: string[][] = [];
  times.forEach((at, index) => {
    const x = ((at - from) / Math.max(1, to - from)) * width;
    const y = height - 1 - (Math.min(values[index] ?? 0, most) / most) * (height - 2);
    if (index === 0 || at - (times[index - 1] ?? 0) > longest) strokes.push([]);
    strokes.at(-1)?.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
  });
  return strokes.map((points) => `M${points.join('L')}`);
}

/** A small line for a row of a table. */
export function Sparkline(given: SparklineGiven): ReactNode {
  const { width = 112, height = 24, label } = given;
  const strokes = strokesOf({ ...given, width, height });
  return (
    <svg className="sparkline" width={width} height={height} role="img" aria-label={label}>
      <path d={`M0 ${height - 0.5}H${width}`} stroke="var(--line)" />
      <path d={strokes.join('')} fill="none" stroke="var(--series-1)" strokeWidth="1.25" strokeLinejoin="round" />
    </svg>
  );
}
