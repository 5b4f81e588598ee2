import { randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import type { Firing } from './firing.ts';
import { limitsOf, unitOf, type Rule } from './rule.ts';
import { quiet, step, type Change, type Limits, type SeriesState } from './state.ts';
import type { FiringWrite } from './firing-store.ts';
import type { Outcome } from './wording.ts';

/** One value of one series, for one rule. */
export interface Reading {
  resource: string;
  attributes: Readonly<Record<string, string>>;
  value: number;
  /** Where limits and unit are not the rule's own. */
  limits?: Limits;
  unit?: string;
  /** How long it was bad before anyone looked, milliseconds. */
  badForMs?: number;
  /** The sample's own time, milliseconds since 1970. */
  timeMs?: number;
}

interface Slot {
  rule: Rule;
  resource: string;
  attributes: Reading['attributes'];
  key: string;
  unit: string;
  limits: Limits;
  state: SeriesState;
  /** The open firing's id. */
  firing: string | undefined;
}

interface OrgSlots {
  rules: Map<string, { rule: Rule; limits: Limits; unit: string }>;
  /** By rule, then by resource and series. Only series that are not simply good have one. */
  slots: Map<string, Map<string, Slot>>;
}

/** Sample times further than this from the hub's clock come from a clock that is wrong. */
const TRUSTED_MS = 300_000;
/** A host whose values came within this time sends. */
const SENDS_MS = 60_000;

const keys = new WeakMap<Reading['attributes'], string>();

/** What tells series of one name apart: their attributes, sorted. Worked out once for each object. */
export function seriesKey(attributes: Reading['attributes']): string {
  const known = keys.get(attributes);
  if (known !== undefined) return known;
  const key = JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
  keys.set(attributes, key);
  return key;
}

function sameTarget(a: Rule, b: Rule): boolean {
  const target = ({ metric, resource, operator, filter }: Rule): string =>
    JSON.stringify([metric, resource, operator, seriesKey(filter)]);
  return target(a) === target(b);
}

function firingOfSlot(slot: Slot, id: string, times: { startedMs: number; firedMs: number }): Firing {
  const { rule, resource, attributes, key, unit, limits, state } = slot;
  return {
    id,
    rule: rule.id,
    ruleName: rule.name,
    builtIn: rule.builtIn,
    resource,
    resourceName: resource,
    metric: rule.metric,
    attributes,
    seriesKey: key,
    severity: rule.severity,
    operator: limits.operator,
    threshold: limits.threshold,
    unit,
    channels: rule.channels,
    state: 'firing',
    outcome: undefined,
    firedValue: state.value,
    resolvedValue: undefined,
    peak: state.peak,
    ...times,
    resolvedMs: undefined,
    noData: false,
    silenced: false,
    told: 'nobody',
    acknowledged: undefined,
  };
}

function createSlots() {
  const orgs = new Map<string, OrgSlots>();
  const of = (org: string): OrgSlots => {
    const there = orgs.get(org) ?? { rules: new Map(), slots: new Map() };
    orgs.set(org, there);
    return there;
  };
  const place = (org: string, rule: string): Map<string, Slot> => {
    const { slots } = of(org);
    const there = slots.get(rule) ?? new Map<string, Slot>();
    slots.set(rule, there);
    return there;
  };
  return {
    of,
    place,
    orgs,
    *all(): Generator<[org: string, place: Map<string, Slot>, name: string, slot: Slot]> {
      for (const [org, { slots }] of orgs)
        for (const byName of slots.values()) for (const [name, slot] of byName) yield [org, byName, name, slot];
    },
  };
}

/** Holds the state of every series under every rule, and says what changed. It does no I/O. */
export function createEngine(clock: Clock, changed: (org: string, entry: FiringWrite) => void) {
  const slots = createSlots();

  const end = (org: string, slot: Slot, outcome: Outcome, atMs: number): void => {
    const { firing, state } = slot;
    slot.firing = undefined;
    if (firing === undefined) return;
    changed(org, { kind: 'resolved', id: firing, value: state.value, peak: state.peak, atMs, outcome });
  };

  const tell = (org: string, slot: Slot, change: Change | undefined, reading?: Reading): void => {
    const wall = clock.now();
    const near = reading?.timeMs !== undefined && Math.abs(reading.timeMs - wall) < TRUSTED_MS;
    const atMs = Math.round(near ? (reading.timeMs ?? wall) : wall);
    if (change === 'fired') {
      slot.firing = randomUUID();
      const badMs = reading?.badForMs ?? clock.monotonic() - slot.state.startedMs;
      const times = { startedMs: Math.round(atMs - badMs), firedMs: atMs };
      changed(org, { kind: 'fired', firing: firingOfSlot(slot, slot.firing, times) });
    } else if (change !== undefined) end(org, slot, change === 'gone' ? 'gone' : 'recovered', atMs);
  };

  /** Puts the next state in place of the slot's. */
  const advance = (where: Map<string, Slot>, name: string, slot: Slot, state: SeriesState | undefined): void => {
    if (state === undefined) where.delete(name);
    else slot.state = state;
  };

  return {
    /** Gives an org its rules. What fires under a rule that is gone, off, or looks elsewhere is closed. */
    setRules(org: string, rules: readonly Rule[]): void {
      const own = slots.of(org);
      own.rules = new Map(
        rules
          .filter(({ enabled }) => enabled)
          .map((rule) => [rule.id, { rule, limits: limitsOf(rule), unit: unitOf(rule) }]),
      );
      for (const [id, place] of own.slots) {
        const rule = own.rules.get(id)?.rule;
        for (const slot of place.values()) {
          if (rule !== undefined && sameTarget(rule, slot.rule)) slot.rule = rule;
          else {
            end(org, slot, 'rule-changed', clock.now());
            own.slots.delete(id);
          }
        }
      }
    },
    /** Takes over what fired when the hub last stopped, so that nobody is told of it again. */
    restore(org: string, firing: Firing): void {
      const known = slots.of(org).rules.get(firing.rule);
      const nowMs = clock.monotonic();
      if (known?.rule.metric !== firing.metric) {
        const { id, peak, firedValue: value } = firing;
        changed(org, { kind: 'resolved', id, value, peak, atMs: clock.now(), outcome: 'rule-changed' });
        return;
      }
      slots.place(org, firing.rule).set(`${firing.resource} ${firing.seriesKey}`, {
        rule: known.rule,
        resource: firing.resource,
        attributes: firing.attributes,
        key: firing.seriesKey,
        unit: firing.unit,
        limits: { ...known.limits, operator: firing.operator, threshold: firing.threshold },
        firing: firing.id,
        state: {
          phase: 'firing',
          sinceMs: nowMs,
          startedMs: nowMs,
          seenMs: nowMs,
          value: firing.firedValue,
          peak: firing.peak,
          noData: firing.noData,
          firedMs: [nowMs],
        },
      });
    },
    /** Takes the next value of a series under a rule. */
    feed(org: string, ruleId: string, reading: Reading): void {
      const known = slots.of(org).rules.get(ruleId);
      if (known === undefined) return;
      const { resource, attributes, value } = reading;
      const limits = reading.limits ?? known.limits;
      const key = seriesKey(attributes);
      const name = `${resource} ${key}`;
      const where = slots.place(org, ruleId);
      const there = where.get(name);
      const { state, change } = step(there?.state, value, clock.monotonic(), limits);
      if (there === undefined && state === undefined) return;
      if (there !== undefined) {
        if (there.firing !== undefined && there.state.noData && state?.noData === false)
          changed(org, { kind: 'no-data', id: there.firing, noData: false });
        if (change !== 'fired' && state === undefined) there.state = { ...there.state, value };
        advance(where, name, there, state);
        there.limits = limits;
        tell(org, there, change, reading);
      } else if (state !== undefined) {
        const unit = reading.unit ?? known.unit;
        const slot = { rule: known.rule, resource, attributes, key, unit, limits, state, firing: undefined };
        where.set(name, slot);
        tell(org, slot, change, reading);
      }
    },
    /** Looks for series that have gone quiet. `sinceMs` gives how long a resource has been silent. */
    tick(sinceMs: (org: string, resource: string) => number): void {
      const nowMs = clock.monotonic();
      for (const [org, where, name, slot] of slots.all()) {
        const { state, change } = quiet(slot.state, nowMs, sinceMs(org, slot.resource) < SENDS_MS);
        if (slot.firing !== undefined && state?.noData === true && !slot.state.noData)
          changed(org, { kind: 'no-data', id: slot.firing, noData: true });
        advance(where, name, slot, state);
        tell(org, slot, change);
      }
    },
    /** Closes everything about a resource that is removed. */
    forget(org: string, resource: string): void {
      for (const [of, where, name, slot] of slots.all()) {
        if (of !== org || slot.resource !== resource) continue;
        end(org, slot, 'resource-removed', clock.now());
        where.delete(name);
      }
    },
    /** Newest and worst value of what fires now, by firing. */
    current(org: string): Map<string, { value: number; peak: number }> {
      const values = new Map<string, { value: number; peak: number }>();
      for (const [of, , , { firing, state }] of slots.all())
        if (of === org && firing !== undefined) values.set(firing, { value: state.value, peak: state.peak });
      return values;
    },
    /** How many series fire under each rule. */
    counts(org: string): Map<string, number> {
      const counts = new Map<string, number>();
      for (const [of, , , { rule, firing }] of slots.all())
        if (of === org && firing !== undefined) counts.set(rule.id, (counts.get(rule.id) ?? 0) + 1);
      return counts;
    },
    /** Resources that have a series of a rule which is not simply good. */
    busy: (org: string, rule: string): Set<string> =>
      new Set([...slots.place(org, rule).values()].map(({ resource }) => resource)),
    rules: (org: string): Rule[] => [...slots.of(org).rules.values()].map(({ rule }) => rule),
  };
}
export type Engine = ReturnType<typeof createEngine>;
