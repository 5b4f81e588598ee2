import type { ReactNode } from 'react';
import { useNow } from '../../live/use-live.ts';
import { usePreferences } from '../../shell/preferences.ts';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { exactTime } from '../../time/wording.ts';
import { count, quantity } from '../../units/quantity.ts';
import { When } from '../settings/when.tsx';
import { lossSentence } from './loss-words.ts';
import { useDropped, useLedger, useLosses, type HostReply, type SourceLedger } from './queries.ts';
import './delivery.css';

const STATES = ['read', 'dropped', 'waiting', 'acknowledged', 'lost'] as const;
const HEADS = {
  read: 'Read',
  dropped: 'Dropped by rule',
  waiting: 'Waiting',
  acknowledged: 'Acknowledged',
  lost: 'Lost',
};

type Amount = SourceLedger['read'];

function AmountCell({ amount, bad }: { amount: Amount; bad: boolean }): ReactNode {
  const { lines, bytes } = amount;
  const isNothing = lines === 0 && bytes === 0;
  return (
    <td className={bad && !isNothing ? 'critical' : isNothing ? 'quiet' : undefined}>
      {count(lines)}
      <div className="quiet small">{quantity(bytes, 'By')}</div>
    </td>
  );
}

function BalanceMark({ yes }: { yes: boolean }): ReactNode {
  return yes ? (
    <span className="good" title="read = dropped + waiting + acknowledged + lost, in lines and bytes">
      ✓ balances
    </span>
  ) : (
    <span className="critical" title="Some lines are in none of these states. This is a fault of the agent.">
      ✗ does not balance
    </span>
  );
}

const sumOf = (items: readonly SourceLedger[], state: (typeof STATES)[number]): Amount => ({
  lines: items.reduce((sum, one) => sum + one[state].lines, 0),
  bytes: items.reduce((sum, one) => sum + one[state].bytes, 0),
});

function Row({
  name,
  title,
  of,
  balances,
}: {
  name: string;
  title?: string;
  of: (state: (typeof STATES)[number]) => Amount;
  balances: boolean;
}): ReactNode {
  return (
    <tr>
      <th scope="row" className="mono cut" title={title}>
        {name}
      </th>
      {STATES.map((state) => (
        <AmountCell key={state} amount={of(state)} bad={state === 'lost'} />
      ))}
      <td>
        <BalanceMark yes={balances} />
      </td>
    </tr>
  );
}

function Ledger({ id }: { id: string }): ReactNode {
  const { data, error, refetch } = useLedger(id);
  if (error !== null && data === undefined)
    return <Fault error={error} what="the ledger" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={200} />;
  const sinceMs = Math.max(...data.items.map((one) => one.sinceMs));
  const items = data.items.filter((one) => one.sinceMs === sinceMs); // Others tell of earlier runs, and never change again.
  if (items.length === 0) return null;
  const atMs = Math.max(...items.map((one) => one.atMs));
  return (
    <section>
      <h2>Ledger</h2>
      <p className="quiet small">
        Lines and bytes since the agent started <When ms={sinceMs} />, as of the last change <When ms={atMs} />.
      </p>
      <div className="delivery-scroll" tabIndex={0} role="region" aria-label="Ledger">
        <table className="delivery-table">
          <thead>
            <tr>
              <th scope="col">Source</th>
              {STATES.map((state) => (
                <th key={state} scope="col">
                  {HEADS[state]}
                </th>
              ))}
              <th scope="col">Balance</th>
            </tr>
          </thead>
          <tbody>
            {items.map((one) => (
              <Row
                key={one.source}
                name={one.source}
                title={one.source}
                of={(state) => one[state]}
                balances={one.balances}
              />
            ))}
            {items.length > 1 && (
              <Row name="all" of={(state) => sumOf(items, state)} balances={items.every(({ balances }) => balances)} />
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Losses({ host }: { host: HostReply }): ReactNode {
  const { data, error, refetch } = useLosses(host.id);
  const nowMs = useNow();
  const { zone } = usePreferences();
  if (error !== null && data === undefined) return <Fault error={error} what="losses" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={80} />;
  const { items, total } = data;
  return (
    <section>
      <h2>Losses in the last 7 days</h2>
      {items.length === 0 && <p className="good">Nothing was lost.</p>}
      <ul className="delivery-losses">
        {items.map((loss, place) => (
          <li
            key={`${loss.source} ${loss.toMs} ${place}`}
            title={`${loss.source}, ${exactTime(loss.fromMs, zone)} to ${exactTime(loss.toMs, zone)}`}
          >
            <span className="critical" aria-hidden="true">
              ●
            </span>{' '}
            {lossSentence(host.name, loss, { zone, nowMs })}
          </li>
        ))}
      </ul>
      {total > items.length && <p className="quiet small">{count(total - items.length)} older ones are not shown.</p>}
    </section>
  );
}

/** Which rules left lines out; nothing where none did. */
function Dropped({ id }: { id: string }): ReactNode {
  const { data, error, refetch } = useDropped(id);
  if (error !== null && data === undefined)
    return <Fault error={error} what="lines by rule" again={() => void refetch()} />;
  if (data === undefined || data.length === 0) return null;
  return (
    <section>
      <h2>Dropped by rule in the last 24 h</h2>
      <p className="quiet small">While the agent ran; how many they were of each source says the ledger.</p>
      <table className="delivery-table delivery-rules">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Lines on average</th>
            <th scope="col">At most, in 5 min</th>
          </tr>
        </thead>
        <tbody>
          {data.map(({ rule, average, most }) => (
            <tr key={rule}>
              <th scope="row" className="mono cut">
                {rule}
              </th>
              <td>{quantity(average, '{line}/s')}</td>
              <td>{quantity(most, '{line}/s')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What became of every line that the host's agent read, and what was lost. */
export function HostDelivery({ host }: { host: HostReply }): ReactNode {
  return (
    <div className="stack delivery">
      <Losses host={host} />
      <Ledger id={host.id} />
      <Dropped id={host.id} />
    </div>
  );
}
