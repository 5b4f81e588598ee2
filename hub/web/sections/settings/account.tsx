import { useState, type FormEvent, type ReactNode } from 'react';
import { Field } from '../../shell/dialog.tsx';
import { Skeleton } from '../../shell/states.tsx';
import { browserName } from './browser.ts';
import { List } from './list.tsx';
import { useChangePassword, useChangeProfile, useEndSession, useProfile, useSessions } from './queries.ts';
import { When } from './when.tsx';

function ProfileForm({
  now,
}: {
  now: { username: string; email: string; role: string; organisation: string };
}): ReactNode {
  const [username, setUsername] = useState(now.username);
  const [email, setEmail] = useState(now.email);
  const change = useChangeProfile();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate({ username, email });
  };
  return (
    <form className="narrow" onSubmit={submit}>
      <p className="quiet">
        You are {now.role} of {now.organisation}.
      </p>
      <Field label="User name">
        <input
          required
          minLength={2}
          maxLength={64}
          autoComplete="username"
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
      </Field>
      <Field label="E-mail">
        <input
          required
          type="email"
          autoComplete="email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
      </Field>
      <div>
        <button type="submit" disabled={change.isPending || (username === now.username && email === now.email)}>
          Save
        </button>
      </div>
    </form>
  );
}

function PasswordForm(): ReactNode {
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const change = useChangePassword();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate(
      { old, new: next },
      {
        onSuccess: () => {
          setOld('');
          setNext('');
        },
      },
    );
  };
  return (
    <section>
      <h2>Password</h2>
      <form className="narrow" onSubmit={submit}>
        <Field label="Password now" fault={change.error?.message}>
          <input
            required
            type="password"
            autoComplete="current-password"
            value={old}
            onChange={(event) => setOld(event.target.value)}
          />
        </Field>
        <Field label="New password" hint="At least 12 characters.">
          <input
            required
            type="password"
            minLength={12}
            maxLength={256}
            autoComplete="new-password"
            value={next}
            onChange={(event) => setNext(event.target.value)}
          />
        </Field>
        <div>
          <button type="submit" disabled={change.isPending}>
            Change the password
          </button>
        </div>
      </form>
    </section>
  );
}

function Sessions(): ReactNode {
  const sessions = useSessions();
  const end = useEndSession();
  return (
    <section>
      <h2>Where you are signed in</h2>
      <List of={sessions} what="Sessions" columns={['Browser', 'Since', 'Last used', '']} empty="Nowhere.">
        {({ id, agent, createdMs, usedMs, current }) => (
          <>
            <td title={agent}>{browserName(agent)}</td>
            <td>
              <When ms={createdMs} />
            </td>
            <td>
              <When ms={usedMs} />
            </td>
            <td>
              {current ? (
                <span className="quiet">this one</span>
              ) : (
                <button type="button" onClick={() => end.mutate(id)}>
                  End it
                </button>
              )}
            </td>
          </>
        )}
      </List>
    </section>
  );
}

/** The signed-in person's own name, password and sessions. */
export function Account(): ReactNode {
  const { data } = useProfile();
  return (
    <>
      <section>
        <h2>You</h2>
        {data === undefined ? (
          <Skeleton height={200} width={340} />
        ) : (
          <ProfileForm key={JSON.stringify(data)} now={data} />
        )}
      </section>
      <PasswordForm />
      <Sessions />
    </>
  );
}
