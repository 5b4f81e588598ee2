import type { ReactNode, RefObject } from 'react';
import { clockTime } from '../time/wording.ts';
import { quantity } from '../units/quantity.ts';
import type { Zone } from '../time/range.ts';
import type { Columns } from './buffer.ts';
import { figuresOf } from './drawn.ts';
import type { ChartLine } from './line.ts';

/** What the numbers of a legend are made of. */
export interface LegendFigures {
  columns: Columns;
  /** The newest value of each line. */
  newest: readonly (number | undefined)[];
  unit: string;
  /** The step under the crosshair. */
  hovered: number | undefined;
  zone: Zone;
  /** False when the shown time has an end. */
  live: boolean;
}

function write(cell: Element | undefined, text: string): void {
  if (cell !== undefined && cell.textContent !== text) cell.textContent = text;
}

/** Writes the numbers into a legend that stands, past React: it happens every second for every chart. */
export function fillLegend(table: HTMLTableElement, figures: LegendFigures): void {
  const { columns, newest, unit, hovered, zone, live } = figures;
  const at = hovered === undefined ? undefined : columns.times[hovered];
  write(table.tHead?.rows[0]?.cells[1], at !== undefined ? clockTime(at, zone) : live ? 'now' : 'last');
  columns.lines.forEach((line, index) => {
    const cells = table.tBodies[0]?.rows[index]?.cells;
    const { min, avg, max } = figuresOf(line);
    const first = hovered === undefined ? newest[index] : line.avg[hovered];
    [first, min, avg, max].forEach((value, column) => write(cells?.[column + 1], quantity(value, unit)));
  });
}

/** A chart in one sentence, for those who do not see it. */
export function summaryOf(lines: readonly ChartLine[], { columns, newest, unit, live }: LegendFigures): string {
  const words = lines.slice(0, 8).map(({ label }, index) => {
    const { max } = figuresOf(columns.lines[index] ?? { avg: [], min: [], max: [] });
    return `${label} ${live ? 'now' : 'last'} ${quantity(newest[index], unit)}, at most ${quantity(max, unit)}`;
  });
  return words.join('; ');
}

/** Lines of a chart with their numbers. A click shows one line alone, another click all of them again. */
export function Legend({
  lines,
  colors,
  only,
  isolate,
  table,
}: {
  lines: readonly ChartLine[];
  colors: readonly number[];
  only: string | undefined;
  isolate(key: string | undefined): void;
  table: RefObject<HTMLTableElement | null>;
}): ReactNode {
  return (
    <div className="chart-legend" tabIndex={lines.length > 6 ? 0 : -1}>
      <table ref={table}>
        <thead>
          <tr>
            <th scope="col">
              <span className="unseen">Series</span>
            </th>
            {['now', 'min', 'avg', 'max'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ key, label }, index) => (
            <tr key={key} className={only !== undefined && only !== key ? 'away' : ''}>
              <th scope="row">
                <button
                  type="button"
                  aria-pressed={only === key}
                  title={only === key ? 'Show all' : `Show ${label} alone`}
                  onClick={() => isolate(only === key ? undefined : key)}
                >
                  <i style={{ background: `var(--series-${(colors[index] ?? 0) + 1})` }} />
                  <span className="cut">{label}</span>
                </button>
              </th>
              <td>–</td>
              <td>–</td>
              <td>–</td>
              <td>–</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
