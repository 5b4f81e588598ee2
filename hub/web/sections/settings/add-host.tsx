import { useState, type FormEvent, type ReactNode } from 'react';
import { Field } from '../../shell/dialog.tsx';
import { Command } from '../../shell/states.tsx';
import { length } from '../../time/wording.ts';
import { installLine } from './install-line.ts';
import { readLabels } from './labels.ts';
import { useInstaller, useMakeToken } from './queries.ts';
import { missing } from './rights.ts';

const LOOPBACK = /^(localhost|127\.|\[?::1)/;

/** The line for the new machine, where this hub has packages. */
function Install({ line }: { line: string }): ReactNode {
  return (
    <>
      <p>
        As root on the new machine (Linux, x64 or arm64, with curl). It checks what it fetches, and the join token in it
        is shown only now:
      </p>
      <Command line={line} />
      <p className="quiet small">
        The agent becomes the service <code>outrider-agent</code>. Running the line of a newer hub upgrades it in place;{' '}
        <code>sh install.sh --uninstall</code> leaves nothing.
      </p>
    </>
  );
}

/** What to do where this hub has no packages. */
function ByHand({ token }: { token: string }): ReactNode {
  return (
    <ol>
      <li>
        <p>
          This hub has no packages of the agent. Run <code>make package</code> in its checkout, or put what that leaves
          into the folder <code>downloads</code> of its data: one line installs an agent then. Without, copy{' '}
          <code>dist/outrider-agent</code> and the folder <code>dist/agent</code> to the new machine (it needs Node
          20.19 or newer), and run there
        </p>
        <Command line="./outrider-agent enroll && ./outrider-agent run" />
      </li>
      <li>
        <p>It asks for the join token, which is shown only now:</p>
        <Command line={token} />
      </li>
    </ol>
  );
}

function Steps({ token, endsMs, uses }: { token: string; endsMs: number; uses: number }): ReactNode {
  const installer = useInstaller();
  if (installer.isPending) return null;
  return (
    <div className="once" role="status">
      {installer.data ? (
        <Install line={installLine(installer.data, token, location.origin)} />
      ) : (
        <ByHand token={token} />
      )}
      <p className="quiet small">With ssh, on the machine of this hub, in its checkout, no token is needed:</p>
      <Command line="make add-host HOST=web-1" />
      <p className="quiet small">
        Good for {uses === 1 ? 'one agent' : `${uses} agents`}, for {length(endsMs - Date.now())}. The host appears in
        the overview as soon as its agent runs.
      </p>
      {LOOPBACK.test(location.hostname) && (
        <p className="warning small">
          This hub listens on this machine only. For others to reach it, start it with --listen 0.0.0.0 --advertise and
          its name.
        </p>
      )}
    </div>
  );
}

/** Makes a join token and says what to do with it. */
export function AddHost(): ReactNode {
  const [uses, setUses] = useState('1');
  const [hours, setHours] = useState('24');
  const [labels, setLabels] = useState('');
  const [ephemeral, setEphemeral] = useState(false);
  const make = useMakeToken();
  const read = readLabels(labels);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if ('fault' in read) return;
    make.mutate({ uses: Number(uses), expiresInHours: Number(hours), labels: read.labels, ephemeral });
  };
  return (
    <section>
      <h2>Add a host</h2>
      <form className="inline" onSubmit={submit}>
        <Field label="Agents">
          <input
            type="number"
            min="1"
            max="1000"
            required
            value={uses}
            onChange={(event) => setUses(event.target.value)}
          />
        </Field>
        <Field label="Good for">
          <select value={hours} onChange={(event) => setHours(event.target.value)}>
            <option value="1">1 hour</option>
            <option value="24">1 day</option>
            <option value="168">7 days</option>
            <option value="720">30 days</option>
          </select>
        </Field>
        <Field label="Labels" fault={'fault' in read ? read.fault : undefined}>
          <input placeholder="env=prod team=core" value={labels} onChange={(event) => setLabels(event.target.value)} />
        </Field>
        <label className="check">
          <input type="checkbox" checked={ephemeral} onChange={(event) => setEphemeral(event.target.checked)} />
          <span>
            Short-lived, as a CI runner is
            <span className="hint">
              No alert when it is silent; after long silence, two weeks by default, it is removed with its data
            </span>
          </span>
        </label>
        <button
          type="submit"
          className="primary"
          disabled={missing('admin') !== undefined || make.isPending}
          title={missing('admin')}
        >
          Make a join token
        </button>
      </form>
      {make.data !== undefined && (
        <Steps token={make.data.token} endsMs={make.data.expiresMs} uses={make.variables?.uses ?? 1} />
      )}
    </section>
  );
}
