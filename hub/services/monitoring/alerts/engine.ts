import { randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import type { FiringWrite, Found } from './firing-store.ts';
import type { Firing } from './firing.ts';
import { limitsOf, unitOf, type Rule } from './rule.ts';
import {
  createSlots,
  keyOfFiring,
  keyOfSlot,
  firingOfSlot,
  seriesKey,
  slotOfFiring,
  type Attributes,
  type OrgSlots,
  type Slot,
} from './slots.ts';
import { quiet, step, type Change, type Limits, type SeriesState } from './state.ts';
import type { Outcome } from './wording.ts';

/** One value of one series, for one rule. */
export interface Reading {
  resource: string;
  attributes: Attributes;
  value: number;
  /** Where limits and unit are not the rule's own. */
  limits?: Limits;
  unit?: string;
  /** How long it was bad before anyone looked, milliseconds. */
  badForMs?: number;
  /** The sample's own time, milliseconds since 1970. */
  timeMs?: number;
}

/** Hears of every transition of a resource, in order. */
type Changed = (org: string, resource: string, entry: FiringWrite) => void;

/** Sample times further than this from the hub's clock come from a clock that is wrong. */
const TRUSTED_MS = 300_000;
/** A host whose values came within this time sends. */
const SENDS_MS = 60_000;

function sameTarget(a: Rule, b: Rule): boolean {
  const target = ({ metric, resource, operator, filter }: Rule): string =>
    JSON.stringify([metric, resource, operator, seriesKey(filter)]);
  return target(a) === target(b);
}

/** Puts the next state in place of the slot's. */
function advance(where: Map<string, Slot>, name: string, slot: Slot, state: SeriesState | undefined): void {
  if (state === undefined) where.delete(name);
  else slot.state = state;
}

/** Lets slots go on under the new rules; closes those whose rule is gone, off, or looks elsewhere. */
function holdOn({ rules, slots }: OrgSlots, close: (slot: Slot) => void): void {
  for (const [id, place] of slots) {
    const rule = rules.get(id)?.rule;
    for (const slot of place.values()) {
      if (rule !== undefined && sameTarget(rule, slot.rule)) slot.rule = rule;
      else {
        close(slot);
        slots.delete(id);
      }
    }
  }
}

/** Turns changes of slots into what is written down. */
function createTransitions(clock: Clock, changed: Changed) {
  const end = (org: string, slot: Slot, outcome: Outcome, atMs: number): void => {
    const { firing, state } = slot;
    slot.firing = undefined;
    if (firing === undefined) return;
    changed(org, slot.resource, { kind: 'resolved', id: firing, value: state.value, peak: state.peak, atMs, outcome });
  };
  const fire = (org: string, slot: Slot): void => {
    slot.firing = randomUUID();
    slot.keptPeak = slot.state.peak;
    changed(org, slot.resource, { kind: 'fired', firing: firingOfSlot(slot, slot.firing) });
  };
  return {
    end,
    fire,
    tell(org: string, slot: Slot, change: Change | undefined, reading?: Reading): void {
      const wall = clock.now();
      const near = reading?.timeMs !== undefined && Math.abs(reading.timeMs - wall) < TRUSTED_MS;
      const atMs = Math.round(near ? (reading.timeMs ?? wall) : wall);
      if (change === 'fired') {
        const badMs = reading?.badForMs ?? clock.monotonic() - slot.state.startedMs;
        slot.times = { startedMs: Math.round(atMs - badMs), firedMs: atMs };
        fire(org, slot);
      } else if (change !== undefined) end(org, slot, change === 'gone' ? 'gone' : 'recovered', atMs);
    },
    /** Writes down how bad it has become, so that a restart does not forget it. The length of a silence is known anyway. */
    keepPeak(org: string, slot: Slot): void {
      const { firing, state, keptPeak, rule } = slot;
      if (firing === undefined || state.peak === keptPeak || rule.builtIn === 'host-silent') return;
      slot.keptPeak = state.peak;
      changed(org, slot.resource, { kind: 'peak', id: firing, peak: state.peak });
    },
    /** Says that values of a firing series stay away or come again. */
    noData(org: string, slot: Slot, noData: boolean | undefined): void {
      if (slot.firing === undefined || noData === undefined || noData === slot.state.noData) return;
      changed(org, slot.resource, { kind: 'no-data', id: slot.firing, noData });
    },
  };
}

/**
 * Becomes the one who writes down what fires on the resources that are `mine`: goes on with what is open, fires what the owner before
 * did not come to write, and lets go of episodes that it had closed already.
 */
function createAdoption(slots: ReturnType<typeof createSlots>, clock: Clock, changed: Changed) {
  const { fire } = createTransitions(clock, changed);
  /** Goes on with a firing of which nothing is known here. */
  const restore = (org: string, firing: Firing): void => {
    const { id, peak, firedValue: value, resource } = firing;
    const known = slots.of(org).rules.get(firing.rule);
    if (known?.rule.metric === firing.metric) {
      const slot = slotOfFiring(firing, known, clock.monotonic());
      slots.place(org, firing.rule).set(`${resource} ${slot.key}`, slot);
    } else changed(org, resource, { kind: 'resolved', id, value, peak, atMs: clock.now(), outcome: 'rule-changed' });
  };
  return (org: string, mine: (resource: string) => boolean, { open, closed }: Pick<Found, 'open' | 'closed'>): void => {
    const known = new Map(open.filter(({ resource }) => mine(resource)).map((firing) => [keyOfFiring(firing), firing]));
    const overMs = new Map<string, number>();
    for (const one of closed)
      overMs.set(keyOfFiring(one), Math.max(one.resolvedMs ?? 0, overMs.get(keyOfFiring(one)) ?? 0));
    for (const [of, where, name, slot] of slots.all()) {
      if (of !== org || slot.firing === undefined || !mine(slot.resource)) continue;
      const key = keyOfSlot(slot);
      const there = known.get(key);
      if (there !== undefined) {
        slot.firing = there.id;
        slot.times = { startedMs: there.startedMs, firedMs: there.firedMs };
        slot.keptPeak = there.peak;
        if (there.noData !== slot.state.noData)
          changed(org, slot.resource, { kind: 'no-data', id: there.id, noData: slot.state.noData });
        known.delete(key);
      } else if ((overMs.get(key) ?? -Infinity) >= slot.times.firedMs) where.delete(name);
      else fire(org, slot);
    }
    for (const firing of known.values()) restore(org, firing);
  };
}

/** Holds the state of every series under every rule, and says what changed. It does no I/O. */
export function createEngine(clock: Clock, changed: Changed) {
  const slots = createSlots();
  const { end, tell, noData, keepPeak } = createTransitions(clock, changed);
  const { current, counts, busy, rules } = slots;
  return {
    ...{ current, counts, busy, rules },
    adopt: createAdoption(slots, clock, changed),
    /** Gives an org its rules. What fires under a rule that is gone, off, or looks elsewhere is closed. */
    setRules(org: string, rules: readonly Rule[]): void {
      const own = slots.of(org);
      const enabled = rules.filter((rule) => rule.enabled);
      own.rules = new Map(enabled.map((rule) => [rule.id, { rule, limits: limitsOf(rule), unit: unitOf(rule) }]));
      holdOn(own, (slot) => end(org, slot, 'rule-changed', clock.now()));
    },
    /** Takes the next value of a series under a rule. */
    feed(org: string, ruleId: string, reading: Reading): void {
      const known = slots.of(org).rules.get(ruleId);
      if (known === undefined) return;
      const { resource, attributes, value, limits = known.limits, unit = known.unit } = reading;
      const key = seriesKey(attributes);
      const name = `${resource} ${key}`;
      const where = slots.place(org, ruleId);
      const there = where.get(name);
      const { state, change } = step(there?.state, value, clock.monotonic(), limits);
      if (there !== undefined) {
        noData(org, there, state?.noData);
        if (change !== 'fired' && state === undefined) there.state = { ...there.state, value };
        advance(where, name, there, state);
        there.limits = limits;
        tell(org, there, change, reading);
      } else if (state !== undefined) {
        const slot = {
          rule: known.rule,
          resource,
          attributes,
          key,
          unit,
          limits,
          state,
          firing: undefined,
          times: { startedMs: 0, firedMs: 0 },
          keptPeak: NaN,
        };
        where.set(name, slot);
        tell(org, slot, change, reading);
      }
    },
    /** Looks for series that have gone quiet. `sinceMs` gives how long a resource has been silent. */
    tick(sinceMs: (org: string, resource: string) => number): void {
      const nowMs = clock.monotonic();
      for (const [org, where, name, slot] of slots.all()) {
        const { state, change } = quiet(slot.state, nowMs, sinceMs(org, slot.resource) < SENDS_MS);
        noData(org, slot, state?.noData);
        advance(where, name, slot, state);
        tell(org, slot, change);
      }
    },
    /** Writes down how bad what fires has become. */
    keepPeaks(): void {
      for (const [org, , , slot] of slots.all()) keepPeak(org, slot);
    },
    /** Closes everything about a resource that is removed. */
    forget(org: string, resource: string): void {
      for (const [of, where, name, slot] of slots.all()) {
        if (of !== org || slot.resource !== resource) continue;
        end(org, slot, 'resource-removed', clock.now());
        where.delete(name);
      }
    },
  };
}
export type Engine = ReturnType<typeof createEngine>;
