import { useState, type FormEvent, type ReactNode } from 'react';
import { api, answer } from '../api/client.ts';
import { begin } from '../api/session.ts';
import { Field } from './dialog.tsx';

/** What both forms share: one try at a time, and what went wrong. */
function useTry(work: () => Promise<void>): { submit(event: FormEvent): void; busy: boolean; fault: string } {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFault('');
    work()
      .catch((error: unknown) => setFault(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  return { submit, busy, fault };
}

function Brand({ title }: { title: string }): ReactNode {
  return (
    <div>
      <img src="/icon.svg" alt="" width="32" height="32" />
      <h1>{title}</h1>
    </div>
  );
}

/** Asks who is there. The address stays, so that a link of a colleague opens afterwards. */
export function SignIn(): ReactNode {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { submit, busy, fault } = useTry(async () => {
    begin(await answer(api.POST('/api/v1/auth/login', { body: { username, password } })));
  });
  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <Brand title="Sign in to Outrider" />
        <Field label="User name or e-mail">
          <input
            autoFocus
            required
            autoComplete="username"
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
        </Field>
        <Field label="Password" fault={fault === '' ? undefined : fault}>
          <input
            required
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
        <p className="quiet small">
          The first sign-in stands where the hub was started and in first-sign-in.json of its data folder. Forgotten it?{' '}
          <code>outrider-hub user reset NAME --data FOLDER</code> with that folder gives a new one.
        </p>
      </form>
    </main>
  );
}

/** Makes an account, with an invitation or where registration is open. */
export function Register({ invitation, done }: { invitation: string; done(): void }): ReactNode {
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const { submit, busy, fault } = useTry(async () => {
    const body = { username, email, password, ...(invitation === '' ? {} : { invitation }) };
    begin(await answer(api.POST('/api/v1/auth/register', { body })));
    done();
  });
  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <Brand title="Make your account" />
        <Field label="User name">
          <input
            autoFocus
            required
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
        <Field label="Password" hint="At least 12 characters." fault={fault === '' ? undefined : fault}>
          <input
            required
            type="password"
            minLength={12}
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'One moment …' : 'Make the account'}
        </button>
      </form>
    </main>
  );
}
