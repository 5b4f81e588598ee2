import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import type { User } from '../api/session.ts';
import { liveStream } from '../live/stream.ts';
import { useLiveEvent, useLiveResumed, useLost } from '../live/use-live.ts';
import { CommandBox } from './command-box.tsx';
import { KeyList } from './key-list.tsx';
import { useKeys } from './keys.ts';
import { LiveClock } from './live-clock.tsx';
import { PersonMenu } from './person-menu.tsx';
import { PLACES, type Place } from './places.ts';
import { useFiringCount } from './queries.ts';
import { TimeMenu } from './time-menu.tsx';
import { Toasts } from './toasts.tsx';
import './frame.css';

/** The time range goes along from section to section; all else of an address is the section's own. */
const keepRange = ((old: Record<string, unknown>) => ({ from: old['from'], to: old['to'] })) as never;

function NavigationItem({ place, firing }: { place: Place; firing: number }): ReactNode {
  const { name, to, sign } = place;
  return (
    <Link
      to={to}
      search={keepRange}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      activeProps={{ 'aria-current': 'page' }}
      className={to === '/settings' ? 'foot' : ''}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" fill="currentColor" aria-hidden="true">
        <path d={sign} />
      </svg>
      {name}
      {to === '/alerts' && firing > 0 && (
        <span className="badge" aria-label={`${firing} firing`}>
          {firing}
        </span>
      )}
    </Link>
  );
}

/** Ctrl-K opens the command box, also while somebody types. */
function useCommandKey(open: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      open();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

/** The bar, the navigation and the section that the address names. */
export function Frame({ user }: { user: User }): ReactNode {
  const [box, setBox] = useState<'none' | 'command' | 'keys'>('none');
  const [alertWords, setAlertWords] = useState('');
  const navigate = useNavigate();
  const queries = useQueryClient();
  const firing = useFiringCount();
  const lost = useLost();
  useEffect(() => {
    liveStream.start();
    return () => liveStream.stop();
  }, []);
  useLiveEvent('alert', ({ state, title }) => {
    void queries.invalidateQueries({ queryKey: ['alerts'] });
    setAlertWords(`${state === 'firing' ? 'Alert' : state}: ${title}`);
  });
  useLiveResumed(() => void queries.invalidateQueries());
  useCommandKey(() => setBox('command'));
  useKeys([
    ...PLACES.map(({ keys, name, to }) => ({
      keys,
      does: name,
      run: () => void navigate({ to, search: keepRange }),
    })),
    { keys: '/', does: 'Go to or search', run: () => setBox('command') },
    { keys: '?', does: 'These keys', run: () => setBox('keys') },
  ]);
  return (
    <div className={lost ? 'frame lost' : 'frame'}>
      <a className="skip button" href="#main">
        Skip to the content
      </a>
      <header className="bar">
        <Link to="/" search={keepRange} className="brand" aria-label="Outrider: overview">
          <img src="/icon.svg" alt="" width="20" height="20" />
          <span>Outrider</span>
        </Link>
        <button type="button" className="ask" onClick={() => setBox('command')}>
          <svg
            width="16"
            height="16"
            viewBox="0 0 16 16"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
            aria-hidden="true"
          >
            <circle cx="7" cy="7" r="4.25" />
            <path d="m10.5 10.5 3 3" />
          </svg>
          <span className="grow">Go to or search</span>
          <kbd>Ctrl K</kbd>
        </button>
        <TimeMenu />
        <LiveClock />
        <PersonMenu user={user} />
      </header>
      <nav className="nav" aria-label="Sections">
        {PLACES.map((place) => (
          <NavigationItem key={place.to} place={place} firing={firing} />
        ))}
      </nav>
      <main className="main" id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <div className="unseen" role="status" aria-live="assertive">
        {alertWords}
      </div>
      {box === 'command' && <CommandBox close={() => setBox('none')} />}
      {box === 'keys' && <KeyList close={() => setBox('none')} />}
      <Toasts />
    </div>
  );
}
