import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile } from '#sdk';
import { parseLoadAverage } from './load-average.ts';

/** Load averages from /proc/loadavg. */
export const load = defineCollector({
  name: 'load',
  summary: 'Reads the load averages from /proc/loadavg.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object({}, { additionalProperties: false }),
  create({ root }) {
    const read = textFile(join(root, 'proc/loadavg'));
    return {
      collect(emit) {
        const [one, five, fifteen] = parseLoadAverage(read() ?? '');
        if (!Number.isFinite(one)) throw new Error('/proc/loadavg cannot be read');
        emit('system.cpu.load_average.1m', one);
        if (Number.isFinite(five)) emit('system.cpu.load_average.5m', five);
        if (Number.isFinite(fifteen)) emit('system.cpu.load_average.15m', fifteen);
      },
    };
  },
});
