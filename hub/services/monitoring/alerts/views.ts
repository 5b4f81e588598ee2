import { SEVERITIES } from '#sdk';
import { Type, type Static, type TSchema } from 'typebox';
import { toldOf, type Firing } from './firing.ts';
import { BUILT_IN_KINDS, RuleBody, unitOf, warningsOf, type Rule } from './rule.ts';
import { OPERATORS } from './state.ts';
import { wording } from './wording.ts';

/** A path that ends in an id. */
export const ById = Type.Object({ id: Type.String({ format: 'uuid' }) });

/** How a list is paged. */
export const paging = {
  limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000 }),
  offset: Type.Integer({ default: 0, minimum: 0 }),
};

/** A list's answer. */
export const listOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), total: Type.Integer(), limit: Type.Integer(), offset: Type.Integer() });

/** The answer of a call that only does something. */
export const Done = Type.Null({ description: 'Done.' });

const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const BuiltInKind = orNull(Type.Enum([...BUILT_IN_KINDS]));

/** A rule, as it is answered. */
export const RuleView = Type.Object({
  id: Type.String(),
  ...RuleBody.properties,
  builtIn: BuiltInKind,
  unit: Type.String({
    description: 'UCUM unit of value and threshold; empty when the metric is not in the catalogue.',
  }),
  firing: Type.Integer({ description: 'How many series fire under it now.' }),
  warnings: Type.Array(Type.String()),
});

/** A firing, as it is answered. */
export const FiringView = Type.Object({
  id: Type.String(),
  rule: Type.String(),
  ruleName: Type.String(),
  builtIn: BuiltInKind,
  resource: Type.String(),
  resourceName: Type.String(),
  metric: Type.String(),
  attributes: Type.Record(Type.String(), Type.String()),
  severity: Type.Enum([...SEVERITIES]),
  state: Type.Enum(['firing', 'resolved']),
  outcome: orNull(Type.Enum(['recovered', 'gone', 'rule-changed', 'resource-removed'])),
  title: Type.String(),
  text: Type.String(),
  operator: Type.Enum([...OPERATORS]),
  threshold: Type.Number(),
  unit: Type.String(),
  value: Type.Number({ description: 'The newest value; of a firing that is over, the one that ended it.' }),
  peak: Type.Number(),
  startedMs: Type.Integer(),
  firedMs: Type.Integer(),
  resolvedMs: orNull(Type.Integer()),
  noData: Type.Boolean({ description: 'It fires, and no values come any more.' }),
  silenced: Type.Boolean(),
  told: Type.Boolean({ description: 'Whether the notifications know of its state.' }),
  acknowledged: orNull(Type.Object({ atMs: Type.Integer(), by: Type.String(), note: Type.String() })),
});

/** Answers a rule. */
export function viewRule(rule: Rule, firing: number): Static<typeof RuleView> {
  const { channels, filter, ...rest } = rule;
  return {
    ...rest,
    channels: [...channels],
    filter: { ...filter },
    unit: unitOf(rule),
    firing,
    warnings: warningsOf(rule),
  };
}

/** Answers a firing, with its newest values where they are known. */
export function viewFiring(firing: Firing, now?: { value: number; peak: number }): Static<typeof FiringView> {
  const told = toldOf(firing);
  const { seriesKey: _key, firedValue: _fired, resolvedValue: _resolved, channels: _channels, ...rest } = firing;
  const fresh = firing.state === 'firing' ? { value: now?.value ?? told.value, peak: now?.peak ?? firing.peak } : told;
  return {
    ...rest,
    ...wording({ ...told, value: fresh.value, peak: fresh.peak }),
    value: fresh.value,
    peak: fresh.peak,
    attributes: { ...firing.attributes },
    outcome: firing.outcome ?? null,
    resolvedMs: firing.resolvedMs ?? null,
    told: firing.told === firing.state,
    acknowledged: firing.acknowledged ?? null,
  };
}
