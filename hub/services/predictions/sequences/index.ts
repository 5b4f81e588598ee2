import { randomUUID } from 'node:crypto';
import type { BatchReceived } from '#proto/subjects.ts';
import { reasonOf, type Clock, type Logger } from '#sdk';
import { Counter, type Registry } from 'prom-client';
import type { Relational } from '../../../ports/relational.ts';
import { SCHEMA, type PredictionsStore } from '../store.ts';
import { createCounting, type CountedPart } from './counting.ts';
import { createJudge } from './judge.ts';

/** So long after its end a window is written down, and how often is looked for such windows, milliseconds. */
const WRITE_MS = 60_000;
const LOOK_MS = 15_000;
/** Parts that wait to be written while the database is away; beyond them the oldest are lost, and their windows are not judged. */
const MOST_WAITING = 20_000;
/** Rows of one statement. */
const ROWS = 200;
/** What nothing was heard of for so long is forgotten, milliseconds: parts that nobody judged, and what is known of a host. */
const PARTS_KEPT_MS = 86_400_000;
const STATES_KEPT_MS = 30 * 86_400_000;

/** What judging logs stands on. */
export interface SequencesGiven {
  store: PredictionsStore;
  config: { enabled: boolean; windowSeconds: number; warmUpHours: number };
  clock: Clock;
  log: Logger;
  registry: Registry;
}

function metricsOf(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  return {
    lines: counter(
      'outrider_predictions_log_lines_total',
      'Log lines by whether they were counted for their window: counted, without-template, other-time.',
      ['outcome'],
    ),
    windows: counter(
      'outrider_predictions_log_windows_total',
      'Windows of hosts’ logs by what came of them: judged, learned, skipped (not seen whole), late, lost.',
      ['outcome'],
    ),
  };
}

/** A part with a name of its own, so that it is written once however often that is tried. */
type WaitingPart = CountedPart & { id: string };

/** Writes parts down, those of one org together. */
async function writeParts(store: PredictionsStore, parts: readonly WaitingPart[]): Promise<void> {
  for (const org of new Set(parts.map((one) => one.org))) {
    const own = parts.filter((one) => one.org === org);
    await store.within(org, async (db) => {
      for (let from = 0; from < own.length; from += ROWS) {
        const rows = own.slice(from, from + ROWS).map(({ id, resource, startMs, part }) => ({
          ...{ org_id: org, resource, window_ms: startMs, part: id, body: JSON.stringify(part) },
        }));
        const there = db.insertInto('sequence_parts').values(rows);
        await there.onConflict((conflict) => conflict.doNothing()).execute();
      }
    });
  }
}

/** Counts hosts' log lines by kind, and tells of windows in which they are not as ever. */
export function createSequences({ store, config, clock, log, registry }: SequencesGiven) {
  const windowMs = config.windowSeconds * 1000;
  const metrics = metricsOf(registry);
  let waiting: WaitingPart[] = [];
  const counting = createCounting(windowMs, (part) => void waiting.push({ ...part, id: randomUUID() }));
  const warmUpMs = config.warmUpHours * 3_600_000;
  const judge = createJudge({ store, clock, log, windowMs, warmUpMs, windows: metrics.windows });
  const flush = async (): Promise<void> => {
    const parts = waiting;
    waiting = [];
    if (parts.length === 0) return;
    try {
      await writeParts(store, parts);
    } catch (error) {
      waiting = [...parts, ...waiting];
      const lost = waiting.splice(0, Math.max(0, waiting.length - MOST_WAITING));
      metrics.windows.inc({ outcome: 'lost' }, lost.length);
      log.warn('counts of log lines were not written down; it is tried again', { reason: reasonOf(error) });
    }
  };
  let flushing = Promise.resolve();
  const look = (untilMs: number): Promise<void> => {
    counting.end(untilMs);
    return (flushing = flushing.then(flush));
  };
  return {
    /** Counts a batch that was handled for the first time. */
    add(org: string, batch: BatchReceived): void {
      if (!config.enabled) return;
      const { counted, withoutTemplate, strays } = counting.add(org, batch);
      metrics.lines.inc({ outcome: 'counted' }, counted);
      metrics.lines.inc({ outcome: 'without-template' }, withoutTemplate);
      metrics.lines.inc({ outcome: 'other-time' }, strays);
    },
    /** Begins to write down what is over, and to judge it each minute in one of the hubs. The first of the ends, to be called when no batch comes any more, writes down everything. */
    async start({ schedule }: Pick<Relational, 'schedule'>): Promise<(() => Promise<void>)[]> {
      if (!config.enabled) return [];
      const writeOver = (): Promise<void> => look(clock.now() - windowMs - WRITE_MS);
      const end = clock.every(LOOK_MS, () => void writeOver());
      const endJudging = await schedule(SCHEMA, 'judge-sequences', '* * * * *', async () => {
        await writeOver();
        await judge.run();
      });
      const endWriting = (): Promise<void> => {
        end();
        return look(Infinity);
      };
      return [endWriting, endJudging];
    },
    async deleteResource(org: string, resource: string): Promise<void> {
      counting.forget(org, resource);
      waiting = waiting.filter((one) => one.org !== org || one.resource !== resource);
      await store.within(org, async (db) => {
        for (const table of ['sequence_parts', 'sequence_states'] as const)
          await db.deleteFrom(table).where('resource', '=', resource).execute();
      });
    },
    /** Forgets what nobody will ask for: a host that was deleted while something of it was under way, or that is silent. */
    async sweep(nowMs: number): Promise<void> {
      for (const org of await store.sequenceOrgs())
        await store.within(org, async (db) => {
          await db
            .deleteFrom('sequence_parts')
            .where('window_ms', '<', Math.round(nowMs - PARTS_KEPT_MS))
            .execute();
          await db
            .deleteFrom('sequence_states')
            .where('looked_ms', '<', Math.round(nowMs - STATES_KEPT_MS))
            .execute();
        });
    },
  };
}
export type Sequences = ReturnType<typeof createSequences>;
