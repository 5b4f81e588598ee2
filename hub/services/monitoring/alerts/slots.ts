import type { Firing } from './firing.ts';
import type { Rule } from './rule.ts';
import type { Limits, SeriesState } from './state.ts';

/** Attributes of a series. */
export type Attributes = Readonly<Record<string, string>>;

/** A rule with what is worked out of it once. */
export interface KnownRule {
  rule: Rule;
  limits: Limits;
  unit: string;
}

/** The state of one series under one rule. */
export interface Slot {
  rule: Rule;
  resource: string;
  attributes: Attributes;
  key: string;
  unit: string;
  limits: Limits;
  state: SeriesState;
  /** The open firing's id. */
  firing: string | undefined;
  /** When the episode began and when it fired, by the wall clock or the sample's. */
  times: { startedMs: number; firedMs: number };
  /** Its worst value as it is written down. */
  keptPeak: number;
}

/** What is known of one org. */
export interface OrgSlots {
  rules: Map<string, KnownRule>;
  /** By rule, then by resource and series. Only series that are not simply good have one. */
  slots: Map<string, Map<string, Slot>>;
}

const keys = new WeakMap<Attributes, string>();

/** What tells series of one name apart: their attributes, sorted. Worked out once for each object. */
export function seriesKey(attributes: Attributes): string {
  const known = keys.get(attributes);
  if (known !== undefined) return known;
  const key = JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
  keys.set(attributes, key);
  return key;
}

/** What tells a firing from all others that are open. */
const keyOf = (rule: string, resource: string, series: string): string => `${rule} ${resource} ${series}`;
export const keyOfFiring = ({ rule, resource, seriesKey }: Firing): string => keyOf(rule, resource, seriesKey);
export const keyOfSlot = ({ rule, resource, key }: Slot): string => keyOf(rule.id, resource, key);

/** What a slot has to say when it begins to fire. */
export function firingOfSlot(slot: Slot, id: string): Firing {
  const { rule, resource, attributes, key, unit, limits, state, times } = slot;
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

/** The slot of a firing that was open when the hub last stopped. */
export function slotOfFiring(firing: Firing, { rule, limits }: KnownRule, nowMs: number): Slot {
  const { resource, attributes, seriesKey: key, unit, operator, threshold, firedValue: value, peak, noData } = firing;
  const times = { sinceMs: nowMs, startedMs: nowMs, seenMs: nowMs, firedMs: [nowMs] };
  return {
    rule,
    resource,
    attributes,
    key,
    unit,
    limits: { ...limits, operator, threshold },
    firing: firing.id,
    times: { startedMs: firing.startedMs, firedMs: firing.firedMs },
    keptPeak: peak,
    state: { phase: 'firing', value, peak, noData, ...times },
  };
}

/** Slots of all orgs. */
export function createSlots() {
  const orgs = new Map<string, OrgSlots>();
  const of = (org: string): OrgSlots => {
    const there = orgs.get(org) ?? { rules: new Map(), slots: new Map() };
    orgs.set(org, there);
    return there;
  };
  const all = function* (): Generator<[org: string, place: Map<string, Slot>, name: string, slot: Slot]> {
    for (const [org, { slots }] of orgs)
      for (const byName of slots.values()) for (const [name, slot] of byName) yield [org, byName, name, slot];
  };
  const firing = (org: string): Slot[] =>
    [...all()].flatMap(([owner, , , slot]) => (owner === org && slot.firing !== undefined ? [slot] : []));
  const place = (org: string, rule: string): Map<string, Slot> => {
    const { slots } = of(org);
    const there = slots.get(rule) ?? new Map<string, Slot>();
    slots.set(rule, there);
    return there;
  };
  return {
    of,
    place,
    all,
    /** Newest and worst value of what fires now, by `keyOfFiring`. */
    current: (org: string): Map<string, { value: number; peak: number }> =>
      new Map(firing(org).map((slot) => [keyOfSlot(slot), { value: slot.state.value, peak: slot.state.peak }])),
    /** How many series fire under each rule. */
    counts(org: string): Map<string, number> {
      const counts = new Map<string, number>();
      for (const { rule } of firing(org)) counts.set(rule.id, (counts.get(rule.id) ?? 0) + 1);
      return counts;
    },
    /** Resources that have a series of a rule which is not simply good. */
    busy: (org: string, rule: string): Set<string> =>
      new Set([...place(org, rule).values()].map(({ resource }) => resource)),
    rules: (org: string): Rule[] => [...of(org).rules.values()].map(({ rule }) => rule),
  };
}
