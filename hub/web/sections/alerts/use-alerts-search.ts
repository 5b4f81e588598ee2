import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { readAlertsSearch, type AlertsSearch } from './search.ts';

/** Changes some words of the address; `replace` leaves no step to go back to. */
export type ChangeAlerts = (change: Partial<AlertsSearch>, replace?: boolean) => void;

/** What the address says of the alerts, on their page and on a host's alike. */
export function useAlertsSearch(): { search: AlertsSearch; change: ChangeAlerts } {
  const raw: Record<string, unknown> = useSearch({ strict: false });
  const written = JSON.stringify(readAlertsSearch(raw));
  const navigate = useNavigate();
  const change = useCallback<ChangeAlerts>(
    (next, replace = false) => {
      const search = (old: Record<string, unknown>) => ({ ...old, ...next });
      void navigate({ to: '.', search: search as never, replace });
    },
    [navigate],
  );
  return { search: useMemo(() => JSON.parse(written) as AlertsSearch, [written]), change };
}
