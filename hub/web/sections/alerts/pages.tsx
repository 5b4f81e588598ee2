import type { ReactNode } from 'react';
import { count } from '../../units/quantity.ts';
import { PAGE } from './queries.ts';
import type { ChangeAlerts } from './use-alerts-search.ts';

/** Which rows of how many are shown, and the way to the others. */
export function Pages({ page, total, change }: { page: number; total: number; change: ChangeAlerts }): ReactNode {
  if (total <= PAGE && page === 1) return null;
  const first = (page - 1) * PAGE + 1;
  const go = (to: number): void => change({ page: to === 1 ? undefined : to });
  return (
    <nav className="row alert-pages" aria-label="Pages">
      <button type="button" disabled={page === 1} onClick={() => go(page - 1)}>
        ← Newer
      </button>
      <span className="quiet small">
        {count(Math.min(first, total))}–{count(Math.min(page * PAGE, total))} of {count(total)}
      </span>
      <button type="button" disabled={page * PAGE >= total} onClick={() => go(page + 1)}>
        Older →
      </button>
    </nav>
  );
}
