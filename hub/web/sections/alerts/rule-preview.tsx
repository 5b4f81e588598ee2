import { useEffect, useState, type ReactNode } from 'react';
import { usePreferences } from '../../shell/preferences.ts';
import { exactTime, length } from '../../time/wording.ts';
import { usePreview, type RuleBody } from './queries.ts';
import { valueOf } from './words.ts';

const SETTLE_MS = 600;
const LISTED = 4;

/** A value that has not changed for a moment. */
function useSettled<T>(value: T): T {
  const [settled, settle] = useState(value);
  const key = JSON.stringify(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), SETTLE_MS);
    return () => clearTimeout(timer);
    // The key holds all of the value; the object is new at every render.
  }, [key]);
  return settled;
}

/** Says how often the rule would have fired in the last day. */
export function RulePreview({ body, unit }: { body: RuleBody | undefined; unit: string }): ReactNode {
  const { zone } = usePreferences();
  const settled = useSettled(body);
  const { data, error, isFetching } = usePreview(settled);
  if (body === undefined)
    return <p className="alert-preview quiet">Fill it in to see how often it would have fired.</p>;
  if (error !== null) return <p className="alert-preview quiet">{error.message}</p>;
  if (data === undefined) return <p className="alert-preview quiet">Trying it on the last 24 h …</p>;
  const { total, complete, episodes } = data;
  const words =
    total === 0
      ? 'It would not have fired'
      : `It would have fired ${complete ? '' : 'at least '}${total === 1 ? 'once' : `${total} times`}`;
  return (
    <div className="alert-preview" aria-busy={isFetching} role="status">
      <strong>{words} in the last 24 h</strong>
      <ul className="small">
        {episodes.slice(0, LISTED).map(({ resource, resourceName, attributes, fromMs, toMs, peak }) => (
          <li key={`${resource} ${fromMs} ${JSON.stringify(attributes)}`}>
            {exactTime(fromMs, zone)}, {toMs === null ? 'to now' : `for ${length(toMs - fromMs)}`}, {resourceName}
            {Object.values(attributes).map((value) => ` ${value}`)}, worst {valueOf(peak, unit)}
          </li>
        ))}
        {episodes.length > LISTED && <li className="quiet">and {total - LISTED} more</li>}
      </ul>
    </div>
  );
}
