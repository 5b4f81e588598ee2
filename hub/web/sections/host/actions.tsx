import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Confirm, Dialog, Field } from '../../shell/dialog.tsx';
import { readLabels } from '../settings/labels.ts';
import { useChangeHost, useDeleteHost, useRevokeAgent, type HostReply } from './queries.ts';

interface Asked {
  host: HostReply;
  close(): void;
}

/** Asks for another name and other labels. */
export function ChangeHost({ host, close }: Asked): ReactNode {
  const written = Object.entries(host.labels).map(([key, value]) => `${key}=${value}`);
  const [name, setName] = useState(host.name);
  const [labels, setLabels] = useState(written.join(' '));
  const change = useChangeHost(host.id);
  const read = readLabels(labels);
  const fault = 'fault' in read ? read.fault : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if ('fault' in read || name.trim() === '') return;
    const wish = { ...(name.trim() === host.name ? {} : { name: name.trim() }), labels: read.labels };
    change.mutate({ change: wish, before: { name: host.name, labels: host.labels } });
    close();
  };
  return (
    <Dialog title={`Change ${host.name}`} close={close}>
      <form className="stack" onSubmit={submit}>
        <Field label="Name">
          <input autoFocus required maxLength={253} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <Field label="Labels" hint="env=prod team=core, with spaces between" fault={fault}>
          <input value={labels} onChange={(event) => setLabels(event.target.value)} />
        </Field>
        <footer>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={fault !== undefined}>
            Save
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Asks before the agent is cut off. */
export function RevokeAgent({ host, close }: Asked): ReactNode {
  const revoke = useRevokeAgent(host.id);
  return (
    <Confirm
      title={`Cut off the agent on ${host.name}?`}
      verb="Revoke the agent"
      close={close}
      act={() => revoke.mutate()}
    >
      <p>It stops sending within ten seconds and must enrol again to come back. Its data stay.</p>
    </Confirm>
  );
}

/** Asks before a host goes with all that it sent. Its name must be typed: there is no way back. */
export function DeleteHost({ host, close }: Asked): ReactNode {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const remove = useDeleteHost(host.id, () => void navigate({ to: '/' }));
  return (
    <Dialog title={`Delete ${host.name} with its data?`} close={close}>
      <div className="stack">
        <p>Its samples, lines and alerts are deleted, and its agent is cut off. This cannot be undone.</p>
        <Field label={`Type ${host.name} to go on`}>
          <input autoFocus value={typed} onChange={(event) => setTyped(event.target.value)} />
        </Field>
      </div>
      <footer>
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button
          type="button"
          className="danger"
          disabled={typed !== host.name || remove.isPending}
          onClick={() => remove.mutate()}
        >
          Delete the host
        </button>
      </footer>
    </Dialog>
  );
}
