import { Registry } from 'prom-client';
import { silentLogger } from '#sdk';
import { cacheContract } from '../../../ports/cache.contract.ts';
import { memoryCache } from './index.ts';

cacheContract('memory', (clock) => {
  const config = { entries: 100 };
  const { port, stop } = memoryCache.create({
    config,
    log: silentLogger,
    clock,
    metrics: new Registry(),
    dataFolder: '',
    fail: () => undefined,
  });
  return Promise.resolve({
    client: () => ({ port }),
    // The contract itself moves the clock.
    pass: () => Promise.resolve(),
    empty: async () => stop?.(),
  });
});
