import { useState, type FormEvent, type ReactNode } from 'react';
import { currentUser } from '../../api/session.ts';
import { Confirm, Field } from '../../shell/dialog.tsx';
import { Command } from '../../shell/states.tsx';
import { List } from './list.tsx';
import { Organisation } from './organisation.tsx';
import {
  useChangePerson,
  useInvitations,
  useInvite,
  usePeople,
  useRemovePerson,
  useWithdrawInvitation,
  type Role,
} from './queries.ts';
import { Needs } from './needs.tsx';
import { missing, ROLE_WORDS, ROLES } from './rights.ts';
import { When } from './when.tsx';

function RoleChoice({
  role,
  label,
  disabled = false,
  choose,
}: {
  role: Role;
  label: string;
  disabled?: boolean;
  choose(role: Role): void;
}): ReactNode {
  return (
    <select
      aria-label={label}
      value={role}
      disabled={disabled}
      onChange={(event) => choose(event.target.value as Role)}
    >
      {ROLES.map((one) => (
        <option key={one} value={one}>
          {one}: {ROLE_WORDS[one]}
        </option>
      ))}
    </select>
  );
}

function Accounts(): ReactNode {
  const people = usePeople();
  const change = useChangePerson();
  const remove = useRemovePerson();
  const [asked, ask] = useState<{ id: string; username: string }>();
  const me = currentUser()?.id;
  return (
    <section>
      <h2>People</h2>
      <List
        of={people}
        what="People"
        columns={['Name', 'E-mail', 'Role', 'Last sign-in', '']}
        empty="Nobody."
        over={({ disabled }) => disabled}
      >
        {({ id, username, email, role, disabled, lastLoginMs }) => (
          <>
            <td>
              {username} {id === me && <span className="quiet">you</span>}
            </td>
            <td>{email}</td>
            <td>
              <RoleChoice
                label={`Role of ${username}`}
                role={role}
                disabled={id === me}
                choose={(next) => change.mutate({ id, role: next })}
              />
            </td>
            <td>
              <When ms={lastLoginMs} />
            </td>
            <td>
              {id !== me && (
                <span className="row">
                  <button type="button" onClick={() => change.mutate({ id, disabled: !disabled })}>
                    {disabled ? 'Switch on' : 'Switch off'}
                  </button>
                  <button type="button" className="danger" onClick={() => ask({ id, username })}>
                    Remove
                  </button>
                </span>
              )}
            </td>
          </>
        )}
      </List>
      {asked !== undefined && (
        <Confirm
          title={`Remove ${asked.username}?`}
          verb="Remove"
          close={() => ask(undefined)}
          act={() => remove.mutate(asked.id)}
        >
          <p>Their sessions end and their keys stop working. This cannot be undone; switching the account off can.</p>
        </Confirm>
      )}
    </section>
  );
}

function Invitations(): ReactNode {
  const invitations = useInvitations();
  const invite = useInvite();
  const withdraw = useWithdrawInvitation();
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    invite.mutate({ role, days: 7, ...(email === '' ? {} : { email }) });
  };
  return (
    <section>
      <h2>Invite somebody</h2>
      <form className="inline" onSubmit={submit}>
        <Field label="E-mail (optional)">
          <input
            type="email"
            placeholder="for this address alone"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </Field>
        <Field label="Role">
          <RoleChoice label="Role of the invited person" role={role} choose={setRole} />
        </Field>
        <button type="submit" className="primary" disabled={invite.isPending}>
          Make a link
        </button>
      </form>
      {invite.data !== undefined && (
        <div className="once" role="status">
          <p>Send this link to the person. It is shown only now, works once and for 7 days.</p>
          <Command line={invite.data.link} />
        </div>
      )}
      <List
        of={invitations}
        what="Invitations"
        columns={['For', 'Role', 'Made', 'Ends', '']}
        empty="No invitation is open."
        over={({ usedMs, expiresMs }) => usedMs !== null || expiresMs < Date.now()}
      >
        {({ id, email: to, role: as, createdMs, expiresMs, usedMs }) => (
          <>
            <td>{to ?? 'anybody who has the link'}</td>
            <td>{as}</td>
            <td>
              <When ms={createdMs} />
            </td>
            <td>{usedMs === null ? <When ms={expiresMs} ahead /> : 'used'}</td>
            <td>
              {usedMs === null && (
                <button type="button" onClick={() => withdraw.mutate(id)}>
                  Withdraw
                </button>
              )}
            </td>
          </>
        )}
      </List>
    </section>
  );
}

/** People: accounts, invitations, and whether anyone may register. */
export function People(): ReactNode {
  if (missing('admin') !== undefined) {
    return (
      <>
        <Needs title="People" doing="Seeing who has an account" role="admin" />
        <Needs title="Invite somebody" doing="Inviting" role="admin" />
        <Organisation />
      </>
    );
  }
  return (
    <>
      <Accounts />
      <Invitations />
      <Organisation />
    </>
  );
}
