import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { usePreferences } from '../../shell/preferences.ts';
import { exactTime, length } from '../../time/wording.ts';
import { Acknowledge, HostThen, SilenceFor } from './firing-actions.tsx';
import { Ago, Until } from './moment.tsx';
import type { Firing } from './queries.ts';
import { SeverityMark } from './severity-mark.tsx';
import { OPERATORS, outcomeWords, valueOf } from './words.ts';

/** The value that counts, held against the threshold. */
export function ValueNow({ firing }: { firing: Firing }): ReactNode {
  const { value, threshold, unit, operator, noData, builtIn } = firing;
  if (builtIn === 'collector-failing') return null;
  return (
    <span className="alert-value">
      <strong className={noData ? 'quiet' : ''}>{valueOf(value, unit)}</strong>{' '}
      <span className="quiet">
        {OPERATORS[operator]} {valueOf(threshold, unit)}
        {noData ? ', no values come any more' : ''}
      </span>
    </span>
  );
}

/** What is known of an alert beyond its line. */
export function FiringDetail({ firing }: { firing: Firing }): ReactNode {
  const { zone } = usePreferences();
  const {
    metric,
    attributes,
    startedMs,
    firedMs,
    resolvedMs,
    peak,
    unit,
    acknowledged,
    told,
    silenced,
    rule,
    ruleName,
    state,
  } = firing;
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Bad since', exactTime(startedMs, zone)],
    ['Fired', exactTime(firedMs, zone)],
    ...(resolvedMs === null
      ? []
      : ([['Ended', `${exactTime(resolvedMs, zone)}, after ${length(resolvedMs - startedMs)}`]] as const)),
    ['Worst value', valueOf(peak, unit)],
    [
      'Metric',
      <span key="metric" className="mono">
        {metric}
      </span>,
    ],
    ...Object.entries(attributes).map(
      ([key, value]) =>
        [
          key,
          <span key={key} className="mono">
            {value}
          </span>,
        ] as const,
    ),
    [
      'Rule',
      <Link key="rule" to="/alerts" search={{ tab: 'rules', open: rule }}>
        {ruleName}
      </Link>,
    ],
    ['Told', silenced ? 'Nobody: a silence held' : told ? 'Yes, see the messages' : 'Not yet'],
    ...(acknowledged === null
      ? []
      : ([
          [
            'Looked after by',
            `${acknowledged.by}, since ${exactTime(acknowledged.atMs, zone)}${acknowledged.note === '' ? '' : `: ${acknowledged.note}`}`,
          ],
        ] as const)),
  ];
  return (
    <div className="alert-detail">
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <HostThen firing={firing}>
        {state === 'firing' ? 'Show the host since then' : 'Show the host at that time'}
      </HostThen>
    </div>
  );
}

/** One alert that fires: what, where, since when, how bad, and what can be done. */
export function FiringRow({
  firing,
  open,
  toggle,
  silentUntilMs,
  oneHost,
}: {
  firing: Firing;
  open: boolean;
  toggle(): void;
  /** When the silence that holds now ends; undefined when none does. */
  silentUntilMs: number | undefined;
  /** The host is known from around it. */
  oneHost: boolean;
}): ReactNode {
  const { title, text, severity, acknowledged, firedMs, resourceName, state } = firing;
  const over = state === 'resolved';
  return (
    <li
      className={`alert-row${open ? ' open' : ''}${acknowledged !== null || silentUntilMs !== undefined ? ' seen' : ''}`}
    >
      <div className="alert-line">
        <SeverityMark severity={severity} over={over} />
        <div className="alert-what">
          <h2>
            <button type="button" className="alert-title" aria-expanded={open} onClick={toggle}>
              {title}
            </button>
          </h2>
          <p className="quiet small">{text}</p>
          <p className="row small">
            {!oneHost && <HostThen firing={firing}>{resourceName}</HostThen>}
            <span className="quiet">
              {over ? outcomeWords(firing) : 'Since'} <Ago ms={firing.resolvedMs ?? firedMs} />
            </span>
            {acknowledged !== null && (
              <span>
                {acknowledged.by} looks after it{acknowledged.note === '' ? '' : `: ${acknowledged.note}`}
              </span>
            )}
            {!over && silentUntilMs !== undefined && (
              <span>
                Silenced, nobody is told; it ends <Until ms={silentUntilMs} />
              </span>
            )}
          </p>
        </div>
        {!over && <ValueNow firing={firing} />}
        {!over && (
          <div className="alert-actions">
            <Acknowledge firing={firing} />
            <SilenceFor firing={firing} />
          </div>
        )}
      </div>
      {open && <FiringDetail firing={firing} />}
    </li>
  );
}
