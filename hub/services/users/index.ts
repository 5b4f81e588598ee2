import type { Cancel } from '#sdk';
import { reasonOf } from '#sdk';
import { defineService } from '../../service.ts';
import { createAccounts } from './accounts.ts';
import { UsersConfig } from './config.ts';
import { createKeys } from './keys.ts';
import { authRoutes } from './routes/auth.ts';
import { internalRoutes } from './routes/internal.ts';
import { keyRoutes } from './routes/keys.ts';
import { peopleRoutes } from './routes/people.ts';
import { createSessions } from './sessions.ts';
import { createStore } from './store.ts';
import { createThrottle } from './throttle.ts';

const HOUR_MS = 3_600_000;

/** People, their roles, sessions and keys. */
export const users = defineService({
  name: 'users',
  summary: 'People, their roles, sessions and keys.',
  needs: ['relational', 'cache', 'bus'],
  config: UsersConfig,
  create({ config, ports, clock, hub, log }) {
    const store = createStore(ports.relational);
    const sessions = createSessions(store, config, clock);
    const accounts = createAccounts({ store, sessions, throttle: createThrottle(ports.cache), bus: ports.bus, clock });
    const keys = createKeys(store, clock);
    const cookie = { secure: hub.publicUrl.startsWith('https:'), maxAgeSeconds: config.sessionDays * 86_400 };
    let cancel: Cancel | undefined;
    const tidy = async (): Promise<void> => {
      await store.forgetExpired(clock.now());
      await sessions.prepareKeys();
    };
    return {
      routes(app) {
        authRoutes(app, { accounts, sessions, ...cookie });
        peopleRoutes(app, { store, accounts, publicUrl: hub.publicUrl, ...cookie });
        keyRoutes(app, { store, keys });
        internalRoutes(app, { accounts, keys, sessions, store });
      },
      async start() {
        await store.migrate();
        await tidy();
        cancel = clock.every(HOUR_MS, () => {
          tidy().catch((error: unknown) =>
            log.warn('tidying sessions failed; it is tried again in an hour', { reason: reasonOf(error) }),
          );
        });
      },
      stop: () => Promise.resolve(cancel?.()),
    };
  },
});
