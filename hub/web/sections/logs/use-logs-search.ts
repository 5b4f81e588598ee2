import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { readLogsSearch, type LogsSearch } from './search.ts';

/** Changes some words of the search; `replace` leaves no step to go back to. */
export type ChangeSearch = (change: Partial<LogsSearch>, replace?: boolean) => void;

/** The search that the address says, on the page of logs and of a host alike. */
export function useLogsSearch(): { search: LogsSearch; change: ChangeSearch } {
  const raw: Record<string, unknown> = useSearch({ strict: false });
  const written = JSON.stringify(readLogsSearch(raw));
  const navigate = useNavigate();
  const change = useCallback<ChangeSearch>(
    (next, replace = false) => {
      const search = (old: Record<string, unknown>) => ({ ...old, ...next });
      void navigate({ to: '.', search: search as never, replace });
    },
    [navigate],
  );
  return { search: useMemo(() => JSON.parse(written) as LogsSearch, [written]), change };
}
