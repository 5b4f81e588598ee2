import { useState, type ReactNode } from 'react';

/** Charts that belong together. Folded away they cost nothing. */
export function ChartGroup({
  id,
  name,
  count,
  children,
}: {
  id: string;
  name: string;
  count: number;
  children: ReactNode;
}): ReactNode {
  const [open, setOpen] = useState(true);
  return (
    <section className="chart-group" id={`group-${id}`} aria-labelledby={`group-${id}-name`}>
      <h2>
        <button type="button" className="bare" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span aria-hidden="true" className="chart-group-sign">
            {open ? '▾' : '▸'}
          </span>
          <span id={`group-${id}-name`}>{name}</span>
          {!open && <span className="quiet small">{count === 1 ? '1 chart' : `${count} charts`}</span>}
        </button>
      </h2>
      {open && <div className="chart-grid">{children}</div>}
    </section>
  );
}
