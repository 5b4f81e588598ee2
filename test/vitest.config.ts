import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = join(import.meta.dirname, '..');

/** Tests that start real programs from dist/ or a real browser; all others run in process. */
const SYSTEM = ['test/system/**/*.test.ts'];
/** Those that choose themselves which processes their hub has: once is enough, whatever the others are run with. */
const OWN_TOPOLOGY = ['examples', 'installers', 'outage', 'replicas', 'split', 'tracing'].map(
  (name) => `test/system/${name}.test.ts`,
);
/** What another Node runs no otherwise: deployment files, the servers that tests are run against, and adapters that only speak to one of them. */
const OTHER_PROGRAMS = [
  'test/deploy/**',
  'test/services/**',
  'hub/adapters/{cache/redis,logstore/elastic,relational/postgres,series/influx,series/prometheus}/**',
];
/** An agent's side of things: the same whichever processes its hub has, and no more of another Node than its in-process tests use. `groups` pushes over split hubs. */
const OF_AGENTS = ['add-host', 'pushed'].map((name) => `test/system/${name}.test.ts`);
/** A browser does not know which Node serves it. */
const IN_BROWSER = ['groups', 'page'].map((name) => `test/system/${name}.test.ts`);
/** What runs again: with a process for each service, or on another Node. */
const again = process.env['OUTRIDER_TEST_AGAIN'] as 'split' | 'lts' | undefined;

export default defineConfig({
  root,
  test: {
    root,
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'in-process',
          include: ['{agent,hub,plugins,proto,test}/**/*.test.ts'],
          exclude: [...SYSTEM, ...(again === 'lts' ? OTHER_PROGRAMS : []), 'test/rules/**', '**/node_modules/**'],
        },
      },
      { extends: true, test: { name: 'rules', include: ['test/rules/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'system',
          include: SYSTEM,
          exclude: [
            ...(again === undefined ? [] : [...OWN_TOPOLOGY, ...OF_AGENTS]),
            ...(again === 'lts' ? IN_BROWSER : []),
            '**/node_modules/**',
          ],
          // With a process for each service one file keeps both cores busy; on another Node `make start` installs packages anew, under whatever else runs.
          fileParallelism: again === undefined,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['agent/**/*.ts', 'hub/**/*.ts', 'plugins/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.contract.ts', '**/main.ts', '**/commands/**', 'hub/web/**', '**/testdata/**'],
      reporter: ['json-summary', 'text-summary'],
      reportsDirectory: 'coverage',
    },
  },
});
