import { useId, useState, type FormEvent, type ReactNode } from 'react';
import { Field } from '../../shell/dialog.tsx';
import { say } from '../../shell/toasts.tsx';
import { readLabels } from '../settings/labels.ts';
import { completions, fitting, fittingWords, labelsInUse, someOf } from './fitting.ts';
import { OnlyOnPage } from './only-on-page.tsx';
import { groupCalls, useAllAgents, useGroupChange } from './queries.ts';

const NAMED = 5;
/** Hosts and labels that are offered while one types. */
const OFFERED = 100;

/** Which agents have these labels now. */
function Fitting({ labels }: { labels: Readonly<Record<string, string>> }): ReactNode {
  const { data } = useAllAgents();
  if (data === undefined || data.total > data.items.length) return null;
  const live = data.items.filter(({ revoked }) => !revoked);
  if (live.length === 0) return <p className="quiet small">No agent has enrolled yet.</p>;
  const fit = fitting(live, labels).map(({ hostname }) => hostname);
  const inUse = labelsInUse(live);
  return (
    <>
      <p className="quiet small" role="status">
        {fittingWords(fit.length, live.length, labels)}
        {fit.length > 0 && `: ${someOf(fit, NAMED)}`}.
        {inUse.length > 0 && ` Labels in use: ${inUse.slice(0, 20).join(' ')} hostname=…`}
      </p>
      <OnlyOnPage labels={labels} />
    </>
  );
}

/** Makes a group of agents. */
export function NewGroup({ made }: { made(id: string): void }): ReactNode {
  const [name, setName] = useState('');
  const [labels, setLabels] = useState('');
  const [fault, setFault] = useState<string>();
  const { run, busy } = useGroupChange();
  const list = useId();
  const { data: agents } = useAllAgents();
  const live = (agents?.items ?? []).filter(({ revoked }) => !revoked);
  const known = [...labelsInUse(live), ...live.slice(0, OFFERED).map(({ hostname }) => `hostname=${hostname}`)];
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
        <Field
          label="Labels of its agents (none: all agents)"
          hint="Those that an agent joined with, from its join token or its settings, and hostname. Labels set on a host’s page do not count."
          fault={'fault' in read ? read.fault : undefined}
        >
          <datalist id={list}>
            {completions(labels, known)
              .slice(0, OFFERED)
              .map((text) => (
                <option key={text} value={text} />
              ))}
          </datalist>
          <input
            list={list}
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
