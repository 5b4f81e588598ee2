import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, type ComponentType, type ReactNode } from 'react';
import { Skeleton } from '../../shell/states.tsx';
import { Account } from './account.tsx';
import { Hosts } from './hosts.tsx';
import { Keys } from './keys.tsx';
import { People } from './people.tsx';
import { Storage } from './storage.tsx';
import { DEFAULT_TAB, SETTINGS_TABS } from './tabs.ts';
import './settings.css';

/** It holds the list of what may be pushed and what checks it: only who opens it loads that. */
const Groups = lazy(async () => ({ default: (await import('../groups/index.tsx')).AgentGroups }));

const SHOWN: Readonly<Record<(typeof SETTINGS_TABS)[number]['tab'], ComponentType>> = {
  hosts: Hosts,
  groups: Groups,
  people: People,
  account: Account,
  keys: Keys,
  storage: Storage,
};

/** How it is set up: hosts, what is pushed to their agents, people, keys and storage. */
export function Settings(): ReactNode {
  const { tab } = useParams({ strict: false });
  const shown = SETTINGS_TABS.find((one) => one.tab === tab)?.tab ?? DEFAULT_TAB;
  const Shown = SHOWN[shown];
  useEffect(() => {
    document.title = 'Settings · Outrider';
  }, []);
  return (
    <>
      <header className="heading">
        <h1>Settings</h1>
      </header>
      <nav className="tabs" aria-label="Settings">
        {SETTINGS_TABS.map(({ tab: one, name }) => (
          <Link
            key={one}
            to="/settings/$tab"
            params={{ tab: one }}
            search={(old) => ({ from: old.from, to: old.to })}
            aria-current={one === shown ? 'page' : undefined}
          >
            {name.split(':')[0]}
          </Link>
        ))}
      </nav>
      <div className="settings">
        <Suspense fallback={<Skeleton height={320} width="100%" />}>
          <Shown />
        </Suspense>
      </div>
    </>
  );
}
