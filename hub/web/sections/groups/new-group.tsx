import { useState, type FormEvent, type ReactNode } from 'react';
import { Field } from '../../shell/dialog.tsx';
import { say } from '../../shell/toasts.tsx';
import { readLabels } from '../settings/labels.ts';
import { groupCalls, useAllAgents, useGroupChange } from './queries.ts';

const NAMED = 5;

/** Which agents have these labels now. */
function Fitting({ labels }: { labels: Readonly<Record<string, string>> }): ReactNode {
  const { data } = useAllAgents();
  if (data === undefined || data.total > data.items.length) return null;
  const live = data.items.filter(({ revoked }) => !revoked);
  if (live.length === 0) return <p className="quiet small">No agent has enrolled yet.</p>;
  const fitting = live.filter(({ labels: own, hostname }) => {
    const all: Readonly<Record<string, string>> = { ...own, hostname };
    return Object.entries(labels).every(([key, value]) => all[key] === value);
  });
  const inUse = [...new Set(live.flatMap((agent) => Object.entries(agent.labels).map((pair) => pair.join('='))))];
  const names = fitting.slice(0, NAMED).map(({ hostname }) => hostname);
  return (
    <p className="quiet small" role="status">
      {Object.keys(labels).length === 0
        ? `All ${live.length} agents fit`
        : `${fitting.length} of ${live.length} agents have ${Object.keys(labels).length === 1 ? 'it' : 'them'}`}
      {names.length > 0 &&
        `: ${names.join(', ')}${fitting.length > NAMED ? ` and ${fitting.length - NAMED} more` : ''}`}
      .{inUse.length > 0 && ` Labels in use: ${inUse.sort().slice(0, 20).join(' ')} hostname=…`}
    </p>
  );
}

/** Makes a group of agents. */
export function NewGroup({ made }: { made(id: string): void }): ReactNode {
  const [name, setName] = useState('');
  const [labels, setLabels] = useState('');
  const [fault, setFault] = useState<string>();
  const { run, busy } = useGroupChange();
  const read = readLabels(labels);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if ('fault' in read) return;
    run(
      () => groupCalls.make({ name: name.trim(), labels: read.labels }),
      ({ id }) => {
        say(`The group ${name.trim()} is made`);
        made(id);
      },
      (error) => setFault(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <>
      <form className="inline" onSubmit={submit}>
        <Field label="Name" fault={fault}>
          <input
            required
            maxLength={100}
            placeholder="web servers"
            value={name}
            onChange={(event) => {
              setName(event.target.value);
              setFault(undefined);
            }}
          />
        </Field>
        <Field label="Labels of its agents (none: all agents)" fault={'fault' in read ? read.fault : undefined}>
          <input
            placeholder="role=web env=prod"
            size={32}
            value={labels}
            onChange={(event) => setLabels(event.target.value)}
          />
        </Field>
        <button type="submit" className="primary" disabled={busy || 'fault' in read || name.trim() === ''}>
          Make the group
        </button>
      </form>
      {'labels' in read && <Fitting labels={read.labels} />}
    </>
  );
}
