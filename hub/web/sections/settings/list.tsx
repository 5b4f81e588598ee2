import type { CSSProperties, ReactNode } from 'react';
import { Fault, Skeleton } from '../../shell/states.tsx';

/** What a query answers, as far as a list needs it. */
interface Asked<Item> {
  data: { items: Item[] } | undefined;
  error: unknown;
  refetch(): unknown;
}

/** A short list of the settings: loading, failed, empty or a row for each item. */
export function List<Item extends { id: string }>({
  of,
  what,
  columns,
  empty,
  over = () => false,
  listed = () => true,
  children,
}: {
  of: Asked<Item>;
  what: string;
  columns: readonly string[];
  empty: ReactNode;
  /** True for what has ended: shown quietly, below the rest. */
  over?(item: Item): boolean;
  /** False for what is not shown. */
  listed?(item: Item): boolean;
  children(item: Item): ReactNode;
}): ReactNode {
  if (of.error !== null && of.data === undefined)
    return <Fault error={of.error} what={what} again={() => void of.refetch()} />;
  if (of.data === undefined) return <Skeleton height={96} width="100%" />;
  // On a phone every cell says itself what it is.
  const names = Object.fromEntries(columns.map((column, index) => [`--name-${index + 1}`, JSON.stringify(column)]));
  const items = of.data.items.filter(listed).sort((a, b) => Number(over(a)) - Number(over(b)));
  if (items.length === 0) return <p className="quiet">{empty}</p>;
  return (
    <div className="wide" tabIndex={0} role="region" aria-label={what}>
      <table style={names as CSSProperties}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column === '' ? <span className="unseen">Actions</span> : column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.id} className={over(item) ? 'over' : undefined}>
              {children(item)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
