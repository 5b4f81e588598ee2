import type { ReactNode } from 'react';
import { useHosts } from './queries.ts';
import { SEVERITIES, type AlertsSearch, type Severity } from './search.ts';
import type { ChangeAlerts } from './use-alerts-search.ts';

/** Chooses which alerts are shown, by how bad they are and where. */
export function NarrowBar({
  search,
  change,
  oneHost,
  children,
}: {
  search: AlertsSearch;
  change: ChangeAlerts;
  oneHost: boolean;
  children?: ReactNode;
}): ReactNode {
  const { data: hosts } = useHosts();
  const severe = (severity: Severity): void =>
    change({ severity: search.severity === severity ? undefined : severity, page: undefined });
  return (
    <div className="row alert-narrow">
      <div className="row" role="group" aria-label="How bad">
        {SEVERITIES.map((severity) => (
          <button
            key={severity}
            type="button"
            className="alert-chip"
            aria-pressed={search.severity === severity}
            onClick={() => severe(severity)}
          >
            {severity}
          </button>
        ))}
      </div>
      {!oneHost && ((hosts?.length ?? 0) > 1 || search.host !== undefined) && (
        <select
          aria-label="Host"
          value={search.host ?? ''}
          onChange={(event) =>
            change({ host: event.target.value === '' ? undefined : event.target.value, page: undefined })
          }
        >
          <option value="">All hosts</option>
          {hosts?.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
      {children}
    </div>
  );
}
