import type { ReactNode } from 'react';
import { count } from '../units/quantity.ts';
import './table.css';

/** Which rows of how many are shown, newest first, and the way to the others. */
export function Pages({
  page,
  size,
  total,
  go,
}: {
  /** From 1. */
  page: number;
  /** Rows of a page. */
  size: number;
  total: number;
  /** Undefined: to the first, which no address has to name. */
  go(page: number | undefined): void;
}): ReactNode {
  if (total <= size && page === 1) return null;
  return (
    <nav className="row table-pages" aria-label="Pages">
      <button type="button" disabled={page === 1} onClick={() => go(page === 2 ? undefined : page - 1)}>
        ← Newer
      </button>
      <span className="quiet small">
        {count(Math.min((page - 1) * size + 1, total))}–{count(Math.min(page * size, total))} of {count(total)}
      </span>
      <button type="button" disabled={page * size >= total} onClick={() => go(page + 1)}>
        Older →
      </button>
    </nav>
  );
}
