import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile, type Emit } from '#sdk';
import { parseStalls, stalledShare, type Stalls } from './stalls.ts';

/** `full` of the processor says nothing for a whole machine: the kernel always answers zero. */
const RESOURCES = [
  { resource: 'cpu', scopes: ['some'] },
  { resource: 'memory', scopes: ['some', 'full'] },
  { resource: 'io', scopes: ['some', 'full'] },
] as const;

function createGauge(root: string, { resource, scopes }: (typeof RESOURCES)[number]) {
  const read = textFile(join(root, 'proc/pressure', resource));
  const rows = scopes.map((scope) => ({
    scope,
    attributes: { 'system.linux.pressure.resource': resource, 'system.linux.pressure.scope': scope },
  }));
  let before: Stalls | undefined;
  return (emit: Emit, elapsedMs: number): void => {
    const text = read();
    const after = text === undefined ? undefined : parseStalls(text);
    for (const { scope, attributes } of rows) {
      const share = stalledShare(before?.[scope], after?.[scope], elapsedMs);
      if (share !== undefined) emit('system.linux.pressure.utilization', share, attributes);
    }
    before = after;
  };
}

/** Stalls for want of a resource, from /proc/pressure. */
export const pressure = defineCollector({
  name: 'pressure',
  summary: 'Reads for which share of the time tasks waited for processor, memory or I/O, from /proc/pressure.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object({}, { additionalProperties: false }),
  create({ root, clock }) {
    const gauges = RESOURCES.map((resource) => createGauge(root, resource));
    let last = clock.monotonic();
    return {
      collect(emit) {
        const now = clock.monotonic();
        for (const gauge of gauges) gauge(emit, now - last);
        last = now;
      },
    };
  },
});
