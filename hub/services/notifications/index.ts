import { Counter } from 'prom-client';
import { defineService } from '../../service.ts';
import { createChannels } from './channels.ts';
import { NotificationsConfig } from './config.ts';
import { listenToBus } from './events.ts';
import { createKinds } from './kinds.ts';
import { createOutbox } from './outbox.ts';
import { channelRoutes } from './routes/channels.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { internalRoutes } from './routes/internal.ts';
import { createSending } from './sending.ts';
import { createStore, SCHEMA } from './store.ts';
import { createTrial } from './trial.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Channels, and the messages that tell people of alerts. */
export const notifications = defineService({
  name: 'notifications',
  summary: 'Channels, and the messages that tell people of alerts.',
  needs: ['relational', 'bus'],
  config: NotificationsConfig,
  create({ config, ports, clock, hub, log, metrics, egress, channels: catalogue }) {
    const messages = new Counter({
      name: 'outrider_notification_messages_total',
      help: 'Tries to send a message, by kind of channel and by what came of them.',
      labelNames: ['kind', 'outcome'] as const,
      registers: [metrics],
    });
    const { retryHours, historyDays } = config;
    const page = hub.publicUrl;
    const store = createStore(ports.relational, clock);
    const kinds = createKinds(catalogue);
    const send = createSending({ kinds, egress, clock, log });
    const outbox = createOutbox({ store, kinds, send, clock, log, retryHours, page, messages });
    const trial = createTrial({ store, send, clock, page });
    const ends: (() => void | Promise<void>)[] = [];
    const tidy = (): Promise<void> => store.forgetBefore(clock.now() - historyDays * DAY_MS, clock.now() - HOUR_MS);
    return {
      routes(app) {
        channelRoutes(app, { channels: createChannels({ store, kinds, wake: outbox.wake }), kinds, trial });
        deliveryRoutes(app, { store, wake: outbox.wake, retryMs: retryHours * HOUR_MS });
        internalRoutes(app, trial);
      },
      async start() {
        await store.migrate();
        outbox.start();
        ends.push(
          ...listenToBus(ports.bus, outbox, store),
          await ports.relational.schedule(SCHEMA, 'forget-old', '37 * * * *', tidy),
        );
      },
      async stop() {
        for (const end of ends.splice(0)) await end();
        await outbox.stop();
      },
    };
  },
});
