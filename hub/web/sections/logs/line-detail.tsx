import { useMemo, type ReactNode } from 'react';
import { CopyButton } from '../../shell/states.tsx';
import { exactTime, lineTime } from '../../time/wording.ts';
import { fieldsOf } from './fields.ts';
import { exclude, include, type Value } from './filter.ts';
import type { Line } from './line-book.ts';
import { Marked, type LineLook } from './line-row.tsx';
import { plainLines, plainText } from './plain-text.ts';
import type { LogsSearch } from './search.ts';
import type { ChangeSearch } from './use-logs-search.ts';

/** What can be done with a line. */
export interface LineActions {
  search: LogsSearch;
  change: ChangeSearch;
  /** Ids of all hosts. */
  hostIds: readonly string[];
  /** Shows the lines around one; absent where they are shown already. */
  around?: ((line: Line) => void) | undefined;
}

const LONGEST_SHOWN = 100_000;

function Choice({ value, actions }: { value: Value; actions: LineActions }): ReactNode {
  const without = exclude(value, actions.search, actions.hostIds);
  const refused = typeof without === 'string' ? without : undefined;
  return (
    <span className="log-choice">
      <button type="button" className="link small" onClick={() => actions.change(include(value))}>
        Only this
      </button>
      <button
        type="button"
        className="link small"
        disabled={refused !== undefined}
        title={refused}
        onClick={() => typeof without !== 'string' && actions.change(without)}
      >
        Without
      </button>
    </span>
  );
}

function Row({ name, children, choice }: { name: string; children: ReactNode; choice?: ReactNode }): ReactNode {
  return (
    <div className="log-field">
      <dt className="cut" title={name}>
        {name}
      </dt>
      <dd>
        <div className="log-value">{children}</div>
        {choice}
      </dd>
    </div>
  );
}

/** A line in full, with its fields. */
export function LineDetail({ line, look, actions }: { line: Line; look: LineLook; actions: LineActions }): ReactNode {
  const fields = useMemo(() => fieldsOf(line.text), [line]);
  const { zone, hosts, oneHost, mark } = look;
  const choice = (field: Value['field'], value: string): ReactNode => (
    <Choice value={{ field, value }} actions={actions} />
  );
  const { around } = actions;
  return (
    <div className="log-detail">
      <dl>
        <Row name="time">
          {exactTime(line.timeMs, zone)}
          {lineTime(line.timeMs, zone).slice(8)} <span className="quiet">{new Date(line.timeMs).toISOString()}</span>
        </Row>
        <Row name="level" choice={choice('level', line.level)}>
          <span className={`log-dot level-${line.level}`} /> {line.level}
        </Row>
        <Row name="host" choice={oneHost ? undefined : choice('host', line.host)}>
          {hosts.get(line.host) ?? line.host}
        </Row>
        <Row name="file" choice={choice('source', line.source)}>
          {plainText(line.source)}
        </Row>
        {Object.entries(line.attributes ?? {}).map(([name, value]) => (
          <Row key={name} name={name} choice={choice('attribute', `${name}:${value}`)}>
            <bdi dir="ltr">{plainText(value)}</bdi>
          </Row>
        ))}
        {fields.map(({ name, value, needle }, index) => (
          <Row key={index} name={name} choice={needle === '' ? undefined : choice('text', needle)}>
            <bdi dir="ltr">
              <Marked text={plainLines(value)} mark={mark} />
            </bdi>
          </Row>
        ))}
        <Row name="text">
          <bdi dir="ltr">
            <Marked text={plainLines(line.text.slice(0, LONGEST_SHOWN))} mark={mark} />
            {line.truncated && <span className="quiet"> … the agent or the hub cut it here</span>}
          </bdi>
        </Row>
      </dl>
      <div className="row">
        {around !== undefined && (
          <button type="button" onClick={() => around(line)}>
            Show the lines around it
          </button>
        )}
        <CopyButton text={line.text} label="Copy the line" />
      </div>
    </div>
  );
}
