import { SEVERITIES, type Severity } from '#sdk';
import { metricInfo } from '#proto/metrics.ts';
import { Type, type Static } from 'typebox';
import { problems } from './errors.ts';
import { breaches, OPERATORS, type Limits, type Operator } from './state.ts';

/** What is watched without anyone asking for it. */
export const BUILT_IN_KINDS = [
  'host-silent', 'disk-full', 'disk-filling', 'memory-exhausted', 'collector-failing', 'clock-skew', 'lines-lost',
  'settings-faulty', 'host-anomaly',
] as const; // prettier-ignore
export type BuiltIn = (typeof BUILT_IN_KINDS)[number];

/** A rule, as everything but the database sees it. */
export interface Rule {
  id: string;
  name: string;
  /** Null: every host. */
  resource: string | null;
  metric: string;
  operator: Operator;
  threshold: number;
  clear: number | null;
  forSeconds: number;
  keepFiringSeconds: number;
  severity: Severity;
  /** Names of channels; empty means all. */
  channels: readonly string[];
  /** Attribute values that a series must have; an empty text asks for series without the attribute. */
  filter: Readonly<Record<string, string>>;
  enabled: boolean;
  builtIn: BuiltIn | null;
}

const Seconds = (description: string) => Type.Integer({ description, minimum: 0, maximum: 86_400, default: 0 });

/** What a person says of a rule. */
export const RuleBody = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 120, description: 'What people call it.' }),
    resource: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
      default: null,
      description: 'The host to watch; null for every host.',
    }),
    metric: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'The name of the metric. Counters count per second.',
    }),
    operator: Type.Enum([...OPERATORS], { description: 'How the value is held against the threshold.' }),
    threshold: Type.Number({ description: 'In the base unit of the metric: shares from 0 to 1, bytes, seconds.' }),
    clear: Type.Union([Type.Number(), Type.Null()], {
      default: null,
      description: 'The value beyond which a firing series is good again; null for the threshold itself.',
    }),
    forSeconds: Seconds('How long values must be bad without a break.'),
    keepFiringSeconds: Seconds('How long values must be good before it is over.'),
    severity: Type.Enum([...SEVERITIES], { default: 'warning', description: 'How bad it is.' }),
    channels: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
      default: [],
      maxItems: 20,
      description: 'Names of the channels to tell; empty for all.',
    }),
    filter: Type.Record(Type.String({ minLength: 1, maxLength: 200 }), Type.String({ maxLength: 500 }), {
      default: {},
      maxProperties: 20,
      description: 'Attribute values that a series must have.',
    }),
    enabled: Type.Boolean({ default: true, description: 'Whether it is looked at.' }),
  },
  { additionalProperties: false },
);
export type RuleBody = Static<typeof RuleBody>;

/** What the machine of states needs of a rule. */
export function limitsOf(
  rule: Pick<Rule, 'operator' | 'threshold' | 'clear' | 'forSeconds' | 'keepFiringSeconds'>,
): Limits {
  return {
    operator: rule.operator,
    threshold: rule.threshold,
    clear: rule.clear ?? undefined,
    forMs: rule.forSeconds * 1000,
    keepMs: rule.keepFiringSeconds * 1000,
  };
}

/** The unit of the values that a rule looks at; counters are rates. Empty when the name is not in the catalogue. */
export function unitOf(rule: Pick<Rule, 'metric' | 'builtIn'>): string {
  if (rule.builtIn === 'host-silent' || rule.builtIn === 'disk-filling') return 's';
  if (rule.builtIn === 'memory-exhausted') return '1';
  const info = metricInfo(rule.metric);
  if (info === undefined) return '';
  return info.kind === 'counter' ? `${info.unit}/s` : info.unit;
}

/** Marks a score by the model that gave it. */
const MODEL_ALIAS = 'outrider.model.alias';

/** True when a rule looks at this series of this resource. What a shadow model says is reported and never alerted on. */
export function fits(
  rule: Pick<Rule, 'resource' | 'filter'>,
  resource: string,
  attributes: Readonly<Record<string, string>>,
): boolean {
  if (rule.resource !== null && rule.resource !== resource) return false;
  if (attributes[MODEL_ALIAS] === 'shadow') return false;
  for (const key in rule.filter) if ((attributes[key] ?? '') !== rule.filter[key]) return false;
  return true;
}

/** Refuses a rule that no schema can refuse. */
export function checkRule(body: RuleBody): void {
  if (body.clear === null || body.clear === body.threshold) return;
  if (breaches(body.operator, body.clear, body.threshold))
    throw problems.invalidRule(`The clear value ${body.clear} is on the bad side of the threshold ${body.threshold}.`);
}

/** What a person should know of a rule that is allowed all the same. */
export function warningsOf(rule: Rule): string[] {
  if (rule.builtIn !== null || metricInfo(rule.metric) !== undefined) return [];
  return [`The catalogue knows no metric “${rule.metric}”: the rule waits until something reports one of this name.`];
}

/** What every organisation has from the start, without the ids. */
export const BUILT_IN_RULES: readonly Omit<Rule, 'id'>[] = [
  builtIn('host-silent', 'Host silent', {
    metric: 'outrider.host.silence', operator: 'gte', threshold: 60, severity: 'critical', keepFiringSeconds: 30,
  }), // prettier-ignore
  builtIn('disk-full', 'Disk nearly full', {
    metric: 'system.filesystem.utilization', operator: 'gte', threshold: 0.95, clear: 0.94, severity: 'critical', forSeconds: 60, keepFiringSeconds: 60,
  }), // prettier-ignore
  builtIn('disk-filling', 'Disk filling up', {
    metric: 'system.filesystem.utilization', operator: 'lt', threshold: 14_400, clear: 21_600, forSeconds: 240, keepFiringSeconds: 600,
  }), // prettier-ignore
  builtIn('memory-exhausted', 'Memory exhausted', {
    metric: 'system.linux.memory.available', operator: 'lt', threshold: 0.04, clear: 0.06, severity: 'critical', forSeconds: 60, keepFiringSeconds: 60,
  }), // prettier-ignore
  builtIn('collector-failing', 'Collector failing', {
    metric: 'outrider.collector.success', operator: 'lt', threshold: 1, forSeconds: 300, keepFiringSeconds: 60,
  }), // prettier-ignore
  builtIn('clock-skew', 'Clock skew', {
    metric: 'outrider.agent.clock.skew', operator: 'gt', threshold: 5, clear: 4, forSeconds: 60, keepFiringSeconds: 60,
  }), // prettier-ignore
  builtIn('lines-lost', 'Log lines lost', {
    metric: 'outrider.agent.log.lines', filter: { 'outrider.ledger.state': 'lost' }, operator: 'gt', threshold: 0, keepFiringSeconds: 300,
  }), // prettier-ignore
  builtIn('settings-faulty', 'Settings of an agent not in force', {
    metric: 'outrider.agent.settings.faults', operator: 'gt', threshold: 0, forSeconds: 120, keepFiringSeconds: 30,
  }), // prettier-ignore
  // Off until somebody wants it: a host is unlike its past also when something was done to it on purpose, which only its events name.
  builtIn('host-anomaly', 'Host unlike its past', {
    metric: 'outrider.host.anomaly.score', operator: 'gte', threshold: 0.5, clear: 0.35, forSeconds: 60, keepFiringSeconds: 120, enabled: false,
  }), // prettier-ignore
];

function builtIn(
  kind: BuiltIn,
  name: string,
  rule: Pick<Rule, 'metric' | 'operator' | 'threshold'> & Partial<Rule>,
): Omit<Rule, 'id'> {
  return {
    resource: null,
    clear: null,
    forSeconds: 0,
    keepFiringSeconds: 0,
    severity: 'warning',
    channels: [],
    filter: {},
    enabled: true,
    ...rule,
    name,
    builtIn: kind,
  };
}
