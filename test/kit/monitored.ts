import type { AddressInfo } from 'node:net';
import type { ServiceDefinition } from '../../hub/service.ts';
import { monitoring } from '../../hub/services/monitoring/index.ts';
import { createManualClock } from './manual-clock.ts';
import { startUsers, type StartedUsers } from './sign-in.ts';
import { startStores, type Stores } from './stores.ts';

/** Users, monitoring and gateway over embedded stores, on a listener that listens. */
export interface StartedMonitoring extends StartedUsers {
  stores: Stores;
  /** Base address of the listener. */
  base: string;
}

/** How monitoring is mounted. */
export const MONITORING = {
  definition: monitoring as unknown as ServiceDefinition,
  prefixes: ['/api/v1/monitoring'],
};

/** Starts monitoring at a whole minute near the present, on a clock that a test moves. */
export async function startMonitoring(config: Record<string, unknown> = {}): Promise<StartedMonitoring> {
  const stores = await startStores();
  const clock = createManualClock(Math.floor(Date.now() / 60_000) * 60_000);
  const hub = await startUsers([{ ...MONITORING, config }], { clock, ports: { series: stores.series } });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  return {
    ...hub,
    stores,
    base: `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`,
    async stop() {
      await hub.stop();
      await stores.stop();
    },
  };
}
