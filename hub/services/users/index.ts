import { reasonOf } from '#sdk';
import { defineService } from '../../service.ts';
import { createAccounts } from './accounts.ts';
import { UsersConfig } from './config.ts';
import { createDevices } from './devices.ts';
import { createInvitations } from './invitations.ts';
import { createCounters } from './counters.ts';
import { createKeys } from './keys.ts';
import { createPeople } from './people.ts';
import { authRoutes } from './routes/auth.ts';
import { internalRoutes } from './routes/internal.ts';
import { invitationRoutes } from './routes/invitations.ts';
import { keyRoutes } from './routes/keys.ts';
import { peopleRoutes } from './routes/people.ts';
import { profileRoutes } from './routes/profile.ts';
import { createSessions } from './sessions.ts';
import { createSigning } from './signing.ts';
import { createStore, SCHEMA } from './store.ts';
import { createThrottle } from './throttle.ts';

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

/** People, their roles, sessions and keys. */
export const users = defineService({
  name: 'users',
  summary: 'People, their roles, sessions and keys.',
  needs: ['relational', 'cache', 'bus'],
  config: UsersConfig,
  create({ config, ports, clock, hub, log }) {
    const { bus, cache, relational } = ports;
    const store = createStore(relational);
    const signing = createSigning(store, config.accessMinutes, clock);
    const maxAgeSeconds = config.sessionDays * DAY_SECONDS;
    const sessions = createSessions({ store, signing, lifeMs: maxAgeSeconds * 1000, clock, log });
    const accounts = createAccounts({
      store,
      sessions,
      throttle: createThrottle(createCounters(cache, clock, log)),
      bus,
      clock,
    });
    const keys = createKeys(store, clock);
    const cookies = { secure: hub.publicUrl.startsWith('https:'), maxAgeSeconds };
    const ends: (() => void | Promise<void>)[] = [];
    return {
      routes(app) {
        authRoutes(app, { accounts, sessions, cookies });
        profileRoutes(app, { accounts, devices: createDevices(store, clock), cookies });
        peopleRoutes(app, createPeople(store));
        invitationRoutes(app, { invitations: createInvitations(store, clock), publicUrl: hub.publicUrl });
        keyRoutes(app, keys);
        internalRoutes(app, { accounts, keys, sessions, signing, store });
      },
      async start() {
        await store.migrate();
        await signing.prepare();
        ends.push(
          clock.every(HOUR_MS, () => {
            signing.prepare().catch((error: unknown) =>
              log.warn('the keys of sessions could not be read; it is tried again in an hour', {
                reason: reasonOf(error),
              }),
            );
          }),
          await relational.schedule(SCHEMA, 'forget-expired', '7 * * * *', () => store.forgetExpired(clock.now())),
        );
      },
      async stop() {
        for (const end of ends.splice(0)) await end();
      },
    };
  },
});
