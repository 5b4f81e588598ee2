import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { signOut, type User } from '../api/session.ts';
import { Menu } from './menu.tsx';
import { prefer, usePreferences, type Preferences } from './preferences.ts';

const THEMES: readonly { theme: Preferences['theme']; label: string }[] = [
  { theme: 'system', label: 'As the system' },
  { theme: 'light', label: 'Light' },
  { theme: 'dark', label: 'Dark' },
];

/** Who is signed in, how the page looks, and the way out. */
export function PersonMenu({ user }: { user: User }): ReactNode {
  const { theme } = usePreferences();
  return (
    <Menu label={<>{user.username} ▾</>} name={`${user.username}, ${user.role}: your menu`}>
      {(close) => (
        <div className="stack">
          <p>
            {user.username} <span className="quiet">{user.role}</span>
            <br />
            <span className="quiet small">{user.email}</span>
          </p>
          <fieldset className="row" style={{ border: 0, padding: 0, margin: 0 }}>
            <legend className="quiet small">Theme</legend>
            {THEMES.map((one) => (
              <label key={one.theme} className="check">
                <input
                  type="radio"
                  name="theme"
                  checked={theme === one.theme}
                  onChange={() => prefer({ theme: one.theme })}
                />
                {one.label}
              </label>
            ))}
          </fieldset>
          <Link to="/settings/$tab" params={{ tab: 'account' }} className="button" onClick={close}>
            Your account
          </Link>
          <button type="button" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      )}
    </Menu>
  );
}
