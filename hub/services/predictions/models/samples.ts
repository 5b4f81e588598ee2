import { buffer } from 'node:stream/consumers';
import type { Peers } from '../../../ports/peers.ts';
import { problems } from '../errors.ts';
import type { Column } from './features.ts';

/** An answer of a day may take so long, milliseconds. */
const DEADLINE_MS = 60_000;
/** Numbers that one question may ask for. */
export const MOST_NUMBERS = 4_000_000;

/** Whose samples. */
export interface Whose {
  org: string;
  resource: string;
  signal?: AbortSignal;
}

/** Milliseconds; all multiples of the step. */
export interface Steps {
  from: number;
  to: number;
  step: number;
}

/** Asks monitoring for samples of hosts. */
export function createSamples(peers: Peers) {
  return {
    /** Every series of a host, and when it last had a sample. */
    async series({ org, resource, signal }: Whose): Promise<(Column & { lastMs: number })[]> {
      const query = `org=${org}&resource=${resource}`;
      const ask = { method: 'GET', path: '/internal/monitoring/series', query, signal } as const;
      return (await peers.json<{ items: (Column & { lastMs: number })[] }>('monitoring', ask)).items;
    },
    /** Averages and rates, column after column; NaN: no sample. */
    async matrix(
      { org, resource, signal }: Whose,
      steps: Steps,
      columns: readonly Pick<Column, 'name' | 'attributes'>[],
    ) {
      const rows = Math.ceil((steps.to - steps.from) / steps.step);
      const named = columns.map(({ name, attributes }) => ({ name, attributes }));
      const reply = await peers.call('monitoring', {
        ...{ method: 'POST', path: '/internal/monitoring/matrix', signal, deadlineMs: DEADLINE_MS },
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ org, resource, ...steps, columns: named }),
      });
      const bytes = await buffer(reply.body);
      if (reply.status !== 200 || bytes.length !== 4 * rows * columns.length)
        throw problems.noSamples(`Its answer has status ${reply.status} and ${bytes.length} bytes.`);
      return new Float32Array(new Uint8Array(bytes).buffer);
    },
  };
}
export type Samples = ReturnType<typeof createSamples>;
