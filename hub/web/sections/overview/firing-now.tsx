import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Fault } from '../../shell/states.tsx';
import { When } from '../settings/when.tsx';
import { useFiringNow } from './queries.ts';

const TONES = { critical: 'critical', warning: 'warning', info: 'info' } as const;

/** What fires now, a line each. */
export function FiringNow(): ReactNode {
  const { data, error, refetch } = useFiringNow();
  if (error !== null && data === undefined)
    return <Fault error={error} what="what fires now" again={() => void refetch()} />;
  if (data === undefined) return null;
  const more = data.total - data.items.length;
  return (
    <section className="overview-firing" aria-labelledby="firing-now">
      <h2 id="firing-now">Firing now</h2>
      {data.items.length === 0 && <p className="quiet">No alert fires.</p>}
      <ul>
        {data.items.map(({ id, title, severity, resourceName, firedMs, acknowledged }) => (
          <li key={id} className="row">
            <span className={`overview-severity ${TONES[severity]}`}>{severity}</span>
            <Link to="/alerts" search={{ open: id }} className="cut">
              {title}
            </Link>
            <span className="quiet">{resourceName}</span>
            {acknowledged !== null && <span className="quiet small">seen by {acknowledged.by}</span>}
            <span className="quiet small end">
              <When ms={firedMs} />
            </span>
          </li>
        ))}
      </ul>
      {more > 0 && <Link to="/alerts">{more} more</Link>}
    </section>
  );
}
