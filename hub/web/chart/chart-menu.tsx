import type { ReactNode } from 'react';
import { Menu } from '../shell/menu.tsx';
import { say, sayFault } from '../shell/toasts.tsx';
import type { Columns } from './buffer.ts';
import type { Ink } from './colors.ts';
import { copyOrSave, csvOf, pngOf } from './copy.ts';
import type { ChartLine } from './line.ts';
import type { Plot } from './plot.ts';

/** What can be done with a chart. */
export function ChartMenu({
  id,
  title,
  lines,
  colors,
  ink,
  plot,
  columns,
}: {
  id: string;
  title: string;
  lines: readonly ChartLine[];
  colors: readonly number[];
  ink: Ink;
  plot(): Plot | undefined;
  columns(): Columns;
}): ReactNode {
  const give = async (kind: 'PNG' | 'CSV'): Promise<void> => {
    const canvas = plot()?.uplot.ctx.canvas;
    if (canvas === undefined) return;
    const named = lines.map(({ label }, index) => ({ label, color: ink.series[colors[index] ?? 0] ?? ink.text }));
    const blob =
      kind === 'PNG'
        ? await pngOf({ title, canvas, lines: named, ink })
        : new Blob([csvOf(lines, columns())], { type: 'text/plain' });
    const copied = await copyOrSave(blob, `${id}.${kind.toLowerCase()}`);
    say(`${title} ${copied ? 'copied' : 'saved'} as ${kind}`);
  };
  return (
    <Menu label="⋯" name={`${title}: copy`}>
      {(close) =>
        (['PNG', 'CSV'] as const).map((kind) => (
          <button
            key={kind}
            type="button"
            onClick={() => {
              close();
              give(kind).catch(sayFault);
            }}
          >
            Copy as {kind}
          </button>
        ))
      }
    </Menu>
  );
}
