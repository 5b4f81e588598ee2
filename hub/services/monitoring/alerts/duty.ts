import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { SeriesStore } from '../../../ports/series.ts';
import type { Engine } from './engine.ts';
import { secondsToFull } from './filling.ts';
import type { Found } from './firing-store.ts';
import type { Ownership, OwnershipGiven } from './ownership.ts';
import type { Presence } from './presence.ts';
import type { Recorder } from './recorder.ts';
import type { BuiltIn, Rule } from './rule.ts';
import { shardOf } from './shards.ts';
import type { AlertStore } from './store.ts';
import type { Watch } from './watch.ts';

const TICK_MS = 5_000;
const SWEEP_MS = 30_000;
const TREND_MS = 60_000;
const HOUR_MS = 3_600_000;
/** After a start, or when this process itself stood still, silence of hosts means nothing for this long. */
const SETTLE_MS = 60_000;
/** How long a firing is remembered once it is over. */
const KEEP_MS = 400 * 24 * HOUR_MS;
/** "Not filling", as a number that a threshold can be held against: a year. */
const NEVER_SECONDS = 31_536_000;
const SPLIT = ['system.device', 'system.filesystem.mountpoint', 'system.filesystem.type'];
const SILENCE = {};

/** What the regular work stands on. */
export interface DutyGiven {
  store: AlertStore;
  engine: Engine;
  watch: Watch;
  presence: Presence;
  recorder: Recorder;
  owned: Pick<Ownership, 'fenceOf'>;
  series: SeriesStore;
  clock: Clock;
  log: Logger;
}

function builtIn(rules: readonly Rule[], kind: BuiltIn): Rule | undefined {
  return rules.find((rule) => rule.builtIn === kind);
}

/** Keeps the rules of each org in memory: read once, again after each change, and now and then for changes by other hubs. */
function createRuleBook({ store, engine, watch }: Pick<DutyGiven, 'store' | 'engine' | 'watch'>) {
  const last = new Map<string, string>();
  let versions = new Map<string, string>();
  const meeting = new Map<string, Promise<void>>();
  const reload = async (org: string): Promise<void> => {
    const rules = await store.rules(org);
    const text = JSON.stringify(rules);
    if (last.get(org) === text) return;
    last.set(org, text);
    engine.setRules(org, rules);
    watch.setRules(org, rules);
  };
  return {
    reload,
    /** Reads the rules of those orgs where somebody changed one, in whatever process. */
    async refresh(orgs: readonly string[]): Promise<void> {
      const now = await store.ruleVersions();
      for (const org of orgs) if (versions.get(org) !== now.get(org)) await reload(org);
      versions = now;
    },
    /** Reads the rules of an org that was not known before; calls meanwhile wait for the same. */
    meet(org: string): Promise<void> {
      const running = meeting.get(org) ?? reload(org).finally(() => meeting.delete(org));
      meeting.set(org, running);
      return running;
    },
  };
}

/** Looks at the trend of file systems that are more than half full, or were filling before. */
async function lookAtTrends({ engine, watch, series, owned, clock }: DutyGiven, org: string): Promise<void> {
  const rule = builtIn(engine.rules(org), 'disk-filling');
  const over = new Set(watch.takeFills(org));
  if (rule === undefined) return;
  for (const resource of new Set([...over, ...engine.busy(org, rule.id)])) {
    if (rule.resource !== null && rule.resource !== resource) continue;
    if (owned.fenceOf(org, resource) === undefined) continue;
    const now = Math.floor(clock.now() / TREND_MS) * TREND_MS;
    const times = { from: now - HOUR_MS, to: now + TREND_MS, step: TREND_MS };
    const asked = { resource, names: [rule.metric], ...times, where: rule.filter, by: SPLIT };
    for (const { attributes, times: at, avg } of await series.query(org, asked)) {
      const seconds = secondsToFull(at.map((timeMs, i) => ({ timeMs, used: avg[i] ?? 0 })));
      engine.feed(org, rule.id, { resource, attributes, value: seconds ?? NEVER_SECONDS });
    }
  }
}

/** Makes what claims shards and goes on with what fires there. */
function createTakeOver(
  { store, engine, watch, recorder, clock, log }: DutyGiven,
  meet: (org: string) => Promise<void>,
): OwnershipGiven['takeOver'] {
  return async (fences) => {
    const found = new Map<string, Found>();
    const ahead = new Map<number, number>();
    for (const org of await store.orgs()) {
      if (!watch.knows(org)) await meet(org);
      const one = await store.takeOver(org, fences, clock.now());
      for (const [shard, fence] of one.ahead) ahead.set(shard, Math.max(fence, ahead.get(shard) ?? 0));
      found.set(org, one);
    }
    const adopt = (owned: ReadonlySet<number>): void => {
      if (owned.size === 0) return;
      for (const [org, one] of found) engine.adopt(org, (resource) => owned.has(shardOf(org, resource)), one);
      recorder
        .sweep([...found.keys()])
        .catch((error: unknown) =>
          log.warn('alerts could not be told; they are tried again', { reason: reasonOf(error) }),
        );
    };
    return { ahead, adopt };
  };
}

/** The work that comes back: who is silent, what went quiet, which disks fill, what was not told. */
export function createDuty(given: DutyGiven) {
  const { store, engine, watch, presence, recorder, clock, log } = given;
  const book = createRuleBook(given);
  let settledMs = 0;
  let lastTickMs = 0;

  const lookForSilence = async (org: string): Promise<void> => {
    const rule = builtIn(engine.rules(org), 'host-silent');
    if (rule === undefined) return;
    for (const { resource, silentMs } of await presence.silences(org)) {
      if (rule.resource !== null && rule.resource !== resource) continue;
      const value = Math.round(silentMs / 1000);
      engine.feed(org, rule.id, { resource, attributes: SILENCE, value, badForMs: silentMs });
    }
  };
  const tick = async (): Promise<void> => {
    const nowMs = clock.monotonic();
    if (nowMs - lastTickMs > TICK_MS * 6) settledMs = nowMs + SETTLE_MS;
    lastTickMs = nowMs;
    if (nowMs >= settledMs) for (const org of watch.orgs()) await lookForSilence(org);
    engine.tick(presence.silentMs);
    engine.keepPeaks();
    recorder.retry();
    await book.refresh(watch.orgs());
  };
  const sweep = (): Promise<void> => recorder.sweep(watch.orgs());
  const trends = async (): Promise<void> => {
    for (const org of watch.orgs()) await lookAtTrends(given, org);
  };
  const forget = async (): Promise<void> => {
    for (const org of watch.orgs()) await store.forgetBefore(org, clock.now() - KEEP_MS);
  };

  const every = (ms: number, what: string, work: () => Promise<void>): Cancel => {
    let busy = false;
    return clock.every(ms, () => {
      if (busy) return;
      busy = true;
      work()
        .catch((error: unknown) => log.warn('a regular look failed; it is repeated', { what, reason: reasonOf(error) }))
        .finally(() => (busy = false));
    });
  };

  return {
    reload: book.reload,
    meet: book.meet,
    /** Reads all rules. */
    async load(): Promise<void> {
      for (const org of await store.orgs()) await book.reload(org);
    },
    takeOver: createTakeOver(given, book.meet),
    /** Begins; returns what ends it. */
    start(): Cancel[] {
      lastTickMs = clock.monotonic();
      settledMs = lastTickMs + SETTLE_MS;
      return [
        every(TICK_MS, 'silence', tick),
        every(SWEEP_MS, 'rules', sweep),
        every(TREND_MS, 'trends', trends),
        every(HOUR_MS, 'history', forget),
      ];
    },
  };
}
