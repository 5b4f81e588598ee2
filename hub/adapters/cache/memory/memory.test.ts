import { Registry } from 'prom-client';
import { silentLogger } from '#sdk';
import { cacheContract } from '../../../ports/cache.contract.ts';
import { memoryCache } from './index.ts';

cacheContract('memory', (clock) =>
  Promise.resolve(
    memoryCache.create({
      config: { entries: 100 },
      log: silentLogger,
      clock,
      metrics: new Registry(),
      dataFolder: '',
      fail: () => undefined,
    }),
  ),
);
