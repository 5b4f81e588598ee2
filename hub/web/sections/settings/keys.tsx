import { useState, type FormEvent, type ReactNode } from 'react';
import { currentUser } from '../../api/session.ts';
import { Confirm, Field } from '../../shell/dialog.tsx';
import { Command } from '../../shell/states.tsx';
import { List } from './list.tsx';
import { useKeys, useMakeKey, useRemoveKey, type Role } from './queries.ts';
import { ROLES, ROLE_WORDS } from './rights.ts';
import { When } from './when.tsx';

function NewKey(): ReactNode {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [days, setDays] = useState('90');
  const make = useMakeKey();
  const own = ROLES.indexOf(currentUser()?.role ?? 'viewer');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate({ name, role, ...(days === '' ? {} : { days: Number(days) }) });
  };
  return (
    <section>
      <h2>Make a key</h2>
      <p className="quiet">For a program that calls the web API. It acts for you and may never do more than you.</p>
      <form className="inline" onSubmit={submit}>
        <Field label="Name">
          <input
            required
            maxLength={100}
            placeholder="deploy script"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <Field label="Role">
          <select value={role} onChange={(event) => setRole(event.target.value as Role)}>
            {ROLES.slice(0, own + 1).map((one) => (
              <option key={one} value={one}>
                {one}: {ROLE_WORDS[one]}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Ends">
          <select value={days} onChange={(event) => setDays(event.target.value)}>
            <option value="30">in 30 days</option>
            <option value="90">in 90 days</option>
            <option value="365">in a year</option>
            <option value="">never</option>
          </select>
        </Field>
        <button type="submit" className="primary" disabled={make.isPending}>
          Make the key
        </button>
      </form>
      {make.data !== undefined && (
        <div className="once" role="status">
          <p>The key is shown only now. Send it as a bearer token:</p>
          <Command
            line={`curl -H 'Authorization: Bearer ${make.data.key}' ${location.origin}/api/v1/monitoring/overview`}
          />
        </div>
      )}
    </section>
  );
}

/** Keys of the signed-in person's programs. */
export function Keys(): ReactNode {
  const keys = useKeys();
  const remove = useRemoveKey();
  const [asked, ask] = useState<{ id: string; name: string }>();
  return (
    <>
      <NewKey />
      <section>
        <h2>Your keys</h2>
        <List
          of={keys}
          what="Keys"
          columns={['Name', 'Begins with', 'Role', 'Last used', 'Ends', '']}
          empty="You have no key."
          over={({ expiresMs }) => expiresMs !== null && expiresMs < Date.now()}
        >
          {({ id, name, prefix, role, lastUsedMs, expiresMs }) => (
            <>
              <td>{name}</td>
              <td className="mono">{prefix}</td>
              <td>{role}</td>
              <td>
                <When ms={lastUsedMs} />
              </td>
              <td>
                <When ms={expiresMs} ahead />
              </td>
              <td>
                <button type="button" className="danger" onClick={() => ask({ id, name })}>
                  Remove
                </button>
              </td>
            </>
          )}
        </List>
        {asked !== undefined && (
          <Confirm
            title={`Remove the key ${asked.name}?`}
            verb="Remove"
            close={() => ask(undefined)}
            act={() => remove.mutate(asked.id)}
          >
            <p>Programs that use it are refused within ten seconds.</p>
          </Confirm>
        )}
      </section>
      <p>
        <a href="/api">The web API, to browse</a> · <a href="/openapi.json">as OpenAPI 3.1</a>
      </p>
    </>
  );
}
