import { useState, type FormEvent, type ReactNode } from 'react';
import { Field } from '../../shell/dialog.tsx';
import { Skeleton } from '../../shell/states.tsx';
import { useChangeOrganisation, useOrganisation } from './queries.ts';
import { Needs } from './needs.tsx';
import { missing } from './rights.ts';

function Form({ now }: { now: { name: string; registrationOpen: boolean } }): ReactNode {
  const [name, setName] = useState(now.name);
  const [open, setOpen] = useState(now.registrationOpen);
  const change = useChangeOrganisation();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate({ name, registrationOpen: open });
  };
  return (
    <form className="narrow" onSubmit={submit}>
      <Field label="Name">
        <input required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
      <label className="check">
        <input type="checkbox" checked={open} onChange={(event) => setOpen(event.target.checked)} />
        Anyone who reaches this page may register as a viewer
      </label>
      <div>
        <button type="submit" disabled={change.isPending || (name === now.name && open === now.registrationOpen)}>
          Save
        </button>
      </div>
    </form>
  );
}

/** The organisation's name, and whether anyone may register. */
export function Organisation(): ReactNode {
  const { data } = useOrganisation();
  if (missing('admin') !== undefined) {
    return (
      <Needs title="Organisation" doing="Changing it" role="admin">
        {data !== undefined && (
          <p>
            {data.name}.{' '}
            {data.registrationOpen ? 'Anyone who reaches this page may register.' : 'One joins it by invitation.'}
          </p>
        )}
      </Needs>
    );
  }
  return (
    <section>
      <h2>Organisation</h2>
      {data === undefined ? <Skeleton height={120} width={340} /> : <Form key={JSON.stringify(data)} now={data} />}
    </section>
  );
}
