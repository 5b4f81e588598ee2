import { useState, type FormEvent, type ReactNode } from 'react';
import { Field } from '../../shell/dialog.tsx';
import { Command } from '../../shell/states.tsx';
import { length } from '../../time/wording.ts';
import { readLabels } from './labels.ts';
import { useMakeToken } from './queries.ts';
import { missing } from './rights.ts';

const LOOPBACK = /^(localhost|127\.|\[?::1)/;

function Steps({ token, endsMs, uses }: { token: string; endsMs: number; uses: number }): ReactNode {
  return (
    <div className="once" role="status">
      <ol>
        <li>
          <p>With ssh, on the machine of this hub, in its checkout, and the token below is not needed:</p>
          <Command line="make add-host HOST=web-1" />
        </li>
        <li>
          <p>
            Without: copy <code>dist/outrider-agent</code> and the folder <code>dist/agent</code> to the new machine (it
            needs Node 20.19 or newer), and run there
          </p>
          <Command line="./outrider-agent enroll && ./outrider-agent run" />
        </li>
        <li>
          <p>It asks for the join token, which is shown only now:</p>
          <Command line={token} />
        </li>
      </ol>
      <p className="quiet small">
        To keep the agent running there, <code>installers/systemd</code> has a unit.
      </p>
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
        <label
          className="check"
          title="For CI runners: no alert when the host is silent, and it is removed with its data after two weeks of silence"
        >
          <input type="checkbox" checked={ephemeral} onChange={(event) => setEphemeral(event.target.checked)} />
          Comes and goes
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
