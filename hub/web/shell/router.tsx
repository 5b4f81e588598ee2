import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, redirect } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { readAlertsSearch } from '../sections/alerts/search.ts';
import { readGroupsSearch } from '../sections/groups/search.ts';
import { readHostSearch } from '../sections/host/search.ts';
import { readLogsSearch } from '../sections/logs/search.ts';
import { readOverviewSearch } from '../sections/overview/search.ts';
import { DEFAULT_TAB } from '../sections/settings/tabs.ts';
import { Root } from './root.tsx';
import { text } from './search.ts';
import { Fault } from './states.tsx';

function Missing(): ReactNode {
  return (
    <div className="state">
      <h1>There is nothing at this address</h1>
      <p>It may have been removed, or the link was cut off.</p>
      <Link to="/" className="button">
        To the overview
      </Link>
    </div>
  );
}

/** What every address may say: the time range, and on the way in an invitation. */
interface PageSearch {
  from?: string | undefined;
  to?: string | undefined;
  invitation?: string | undefined;
}

const root = createRootRoute({
  component: Root,
  validateSearch: (search: Record<string, unknown>): PageSearch => ({
    from: text(search['from'], 40),
    to: text(search['to'], 40),
    invitation: text(search['invitation'], 200),
  }),
});

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: readOverviewSearch,
  component: lazyRouteComponent(() => import('../sections/overview/index.tsx'), 'Overview'),
});
const host = createRoute({
  getParentRoute: () => root,
  path: '/hosts/$id',
  validateSearch: readHostSearch,
  component: lazyRouteComponent(() => import('../sections/host/index.tsx'), 'Host'),
});
const logs = createRoute({
  getParentRoute: () => root,
  path: '/logs',
  validateSearch: readLogsSearch,
  component: lazyRouteComponent(() => import('../sections/logs/index.tsx'), 'Logs'),
});
const alerts = createRoute({
  getParentRoute: () => root,
  path: '/alerts',
  validateSearch: readAlertsSearch,
  component: lazyRouteComponent(() => import('../sections/alerts/index.tsx'), 'Alerts'),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  beforeLoad: () => {
    throw redirect({ to: '/settings/$tab', params: { tab: DEFAULT_TAB } });
  },
});
const settingsTab = createRoute({
  getParentRoute: () => root,
  path: '/settings/$tab',
  validateSearch: readGroupsSearch,
  component: lazyRouteComponent(() => import('../sections/settings/index.tsx'), 'Settings'),
});
const register = createRoute({ getParentRoute: () => root, path: '/register', component: () => null });

/** Addresses of the page and what they show. */
export const router = createRouter({
  routeTree: root.addChildren([overview, host, logs, alerts, settings, settingsTab, register]),
  defaultNotFoundComponent: Missing,
  defaultErrorComponent: ({ error, reset }) => <Fault error={error} what="this section" again={reset} />,
  scrollRestoration: true,
  // Texts stay texts: the address of a log search for 123 is not a number.
  parseSearch: (search) => Object.fromEntries(groupBy(new URLSearchParams(search))),
  stringifySearch: (search) => written(search),
});

function groupBy(query: URLSearchParams): Map<string, string | string[]> {
  const groups = new Map<string, string | string[]>();
  for (const key of new Set(query.keys())) {
    const all = query.getAll(key);
    groups.set(key, all.length > 1 ? all : (all[0] ?? ''));
  }
  return groups;
}

function written(search: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (one !== undefined && one !== '') query.append(key, String(one));
    }
  }
  const out = query.toString();
  return out === '' ? '' : `?${out}`;
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
