import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile } from '#sdk';
import { parseUptime } from './uptime.ts';

/** Time since boot from /proc/uptime. */
export const uptime = defineCollector({
  name: 'uptime',
  summary: 'Reads the time since boot from /proc/uptime.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object({}, { additionalProperties: false }),
  create({ root }) {
    const read = textFile(join(root, 'proc/uptime'));
    return {
      collect(emit) {
        const seconds = parseUptime(read() ?? '');
        if (seconds === undefined) throw new Error('/proc/uptime cannot be read');
        emit('system.uptime', seconds);
      },
    };
  },
});
