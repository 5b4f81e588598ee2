import { Registry } from 'prom-client';
import { silentLogger, systemClock } from '#sdk';
import { busContract } from '../../../ports/bus.contract.ts';
import { localBus } from './index.ts';

busContract('local', () =>
  Promise.resolve(
    localBus.create({
      config: {},
      log: silentLogger,
      clock: systemClock,
      metrics: new Registry(),
      dataFolder: '',
      fail: () => undefined,
    }),
  ),
);
