import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import type { PredictionsStore } from '../store.ts';
import { ALIASES, type AliasName } from '../tables.ts';
import type { Aliases, Pair } from './aliases.ts';
import type { Jobs } from './jobs.ts';
import type { Registry } from './registry.ts';
import type { Removal } from './removal.ts';
import type { Samples, Whose } from './samples.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS = 10_000;
/** A host has to be known for so long before a model of it is made by itself: a day, with its night. */
const KNOWN_MS = 25 * HOUR_MS;
/** A shadow is held against the champion after so long, and given up after so long without a decision. */
const TRIED_MS = DAY_MS;
const GIVEN_UP_MS = 4 * DAY_MS;
/** Of a day's windows so many have to have both scores. */
const FEWEST_WINDOWS = (DAY_MS / WINDOW_MS) * 0.5;
/** A shadow may alert so many times as often as the champion, or as the alarm's design lets through. */
const WORSE = 1.25;
const BY_DESIGN = 0.01;
const METRIC = 'outrider.host.model.score';
const BY = 'outrider';

/** What happens by itself. */
export interface UpkeepGiven {
  store: Pick<PredictionsStore, 'within' | 'detectingOrgs'>;
  jobs: Jobs;
  registry: Registry;
  removal: Removal;
  aliases: Aliases;
  samples: Samples;
  clock: Clock;
  log: Logger;
  /** Days between two models of a host, and days to learn from; undefined: none is made by itself. */
  training: { everyDays: number; days: number } | undefined;
}

/** How often each of two models alerted in the same time. */
export interface Beside {
  windows: number;
  champion: number;
  shadow: number;
}

/** Whether a shadow is to judge: true, false, or undefined while nobody can say. */
export function isBetter({ windows, champion, shadow }: Beside): boolean | undefined {
  if (windows < FEWEST_WINDOWS) return undefined;
  return shadow <= Math.max(BY_DESIGN * windows, WORSE * champion);
}

/** Reads how often champion and shadow alerted in windows that both judged. */
async function readBeside(
  samples: Samples,
  whose: Whose,
  to: number,
  versions: Readonly<Record<AliasName, string>>,
): Promise<Beside> {
  const columns = ALIASES.map((alias) => ({
    name: METRIC,
    attributes: { 'outrider.model.alias': alias, 'outrider.model.version': versions[alias] },
  }));
  const scores = await samples.matrix(whose, { from: to - DAY_MS, to, step: WINDOW_MS }, columns);
  const rows = scores.length / 2;
  const beside = { windows: 0, champion: 0, shadow: 0 };
  for (let n = 0; n < rows; n++) {
    const [champion, shadow] = [scores[n]!, scores[rows + n]!];
    if (champion !== champion || shadow !== shadow) continue;
    beside.windows += 1;
    if (champion >= 0.5) beside.champion += 1;
    if (shadow >= 0.5) beside.shadow += 1;
  }
  return beside;
}

/** Has models made when they are due, lets shadows judge that have proved themselves, and forgets what is old. */
export function createUpkeep({ store, jobs, registry, removal, aliases, samples, clock, log, training }: UpkeepGiven) {
  /** Hosts that detect, and since when. */
  const hostsOf = (org: string) =>
    store.within(org, (db) =>
      db.selectFrom('detections').select(['agent', 'since_ms']).where('since_ms', 'is not', null).execute(),
    );
  const trainDue = async (org: string, { everyDays, days }: NonNullable<typeof training>): Promise<void> => {
    const nowMs = clock.now();
    const [hosts, asked, newest] = [await hostsOf(org), await jobs.lastAsked(org), await registry.newest(org)];
    for (const { agent: resource, since_ms: sinceMs } of hosts) {
      const isKnown = nowMs - Number(sinceMs) >= KNOWN_MS;
      const isDue = nowMs - (newest.get(resource) ?? -Infinity) >= everyDays * DAY_MS;
      // One that failed is tried again a day later.
      if (!isKnown || !isDue || nowMs - (asked.get(resource) ?? -Infinity) < DAY_MS) continue;
      await jobs.add(org, { resource, days, by: BY }).catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error; // Somebody else has asked for one meanwhile.
      });
    }
  };
  const judgeShadow = async (org: string, pair: Pair): Promise<void> => {
    const { resource, champion, shadow, sinceMs } = pair;
    const nowMs = clock.now();
    if (nowMs - sinceMs < TRIED_MS) return;
    const to = Math.floor(nowMs / WINDOW_MS) * WINDOW_MS;
    const beside = await readBeside(samples, { org, resource }, to, { champion, shadow });
    const better = isBetter(beside);
    const counts = `in ${beside.windows} windows it alerted ${beside.shadow} times, the champion ${beside.champion} times`;
    const reason = better === undefined ? 'it was not seen at work beside the champion' : counts;
    // What it does at work counts for more than its gate.
    if (better === true)
      await aliases.move(
        org,
        { resource, alias: 'champion', version: shadow, by: BY, reason },
        { force: true, expected: pair },
      );
    else if (better === false || nowMs - sinceMs >= GIVEN_UP_MS)
      await aliases.move(org, { resource, alias: 'shadow', version: null, by: BY, reason }, { expected: pair });
  };
  const judgeShadows = async (org: string): Promise<void> => {
    for (const pair of await aliases.pairs(org))
      await judgeShadow(org, pair).catch(
        (error: unknown) =>
        log.warn('a shadow could not be held against its champion; it is tried again', { resource: pair.resource, reason: reasonOf(error) }), // prettier-ignore
      );
  };
  const each = async (what: string, work: (org: string) => Promise<unknown>): Promise<void> => {
    for (const org of await store.detectingOrgs())
      await work(org).catch((error: unknown) => log.warn(`${what}; it is tried again`, { org, reason: reasonOf(error) })); // prettier-ignore
  };
  return {
    async look(): Promise<void> {
      if (training !== undefined) await each('no models could be asked for', (org) => trainDue(org, training));
      await each('shadows could not be held against champions', judgeShadows);
      await each('old models could not be removed', async (org) => {
        await jobs.sweep(org);
        await removal.sweep(org);
      });
    },
  };
}
