import { metricInfo } from '../../../../proto/metrics.ts';
import type { Rule, RuleBody } from './queries.ts';
import type { Severity } from './search.ts';
import { readSeconds, readValue, typedSeconds, typedValue, type Operator } from './words.ts';

/** A rule as it is typed. */
export interface RuleForm {
  name: string;
  /** Empty for every host. */
  host: string;
  metric: string;
  filter: readonly { key: string; value: string }[];
  operator: Operator;
  threshold: string;
  clear: string;
  forTime: string;
  keepTime: string;
  severity: Severity;
  channels: readonly string[];
  enabled: boolean;
}

/** Fields that a fault can stand beside, by the names of the web API. */
export const RULE_FIELDS = [
  'name', 'resource', 'metric', 'filter', 'operator', 'threshold', 'clear', 'forSeconds', 'keepFiringSeconds', 'severity', 'channels',
] as const; // prettier-ignore
export type RuleField = (typeof RULE_FIELDS)[number];

/** The unit in which the values of a metric are held against a threshold; counters count per second. Empty when it is not known. */
export function unitOf(metric: string, rule: Pick<Rule, 'metric' | 'unit'> | undefined): string {
  if (rule !== undefined && rule.metric === metric) return rule.unit;
  const info = metricInfo(metric);
  if (info === undefined) return '';
  return info.kind === 'counter' ? `${info.unit}/s` : info.unit;
}

/** The form of a rule, or of one that is to be made. */
export function formOf(rule: Rule | undefined): RuleForm {
  if (rule === undefined) {
    return {
      name: '', host: '', metric: 'system.cpu.busy', filter: [{ key: 'cpu.logical_number', value: '' }], operator: 'gt', threshold: '90',
      clear: '', forTime: '5 min', keepTime: '1 min', severity: 'warning', channels: [], enabled: true,
    }; // prettier-ignore
  }
  const { name, resource, metric, filter, operator, threshold, clear, severity, channels, enabled, unit } = rule;
  return {
    name,
    host: resource ?? '',
    metric,
    filter: Object.entries(filter ?? {}).map(([key, value]) => ({ key, value })),
    operator,
    threshold: typedValue(threshold, unit),
    clear: clear === null || clear === undefined || clear === threshold ? '' : typedValue(clear, unit),
    forTime: typedSeconds(rule.forSeconds ?? 0),
    keepTime: typedSeconds(rule.keepFiringSeconds ?? 0),
    severity: severity ?? 'warning',
    channels: channels ?? [],
    enabled: enabled ?? true,
  };
}

/** What is sent of a rule, or what must be typed otherwise first. */
export function bodyOf(form: RuleForm, unit: string): { body?: RuleBody; faults: Partial<Record<RuleField, string>> } {
  const faults: Partial<Record<RuleField, string>> = {};
  const name = form.name.trim();
  const [threshold, clear] = [
    readValue(form.threshold, unit),
    form.clear.trim() === '' ? null : readValue(form.clear, unit),
  ];
  const [forSeconds, keepFiringSeconds] = [readSeconds(form.forTime), readSeconds(form.keepTime)];
  if (name === '') faults.name = 'Give it a name';
  if (form.metric.trim() === '') faults.metric = 'Choose what to look at';
  if (threshold === undefined) faults.threshold = 'A number is needed';
  if (clear === undefined) faults.clear = 'A number, or nothing';
  if (forSeconds === undefined) faults.forSeconds = 'A time such as 5 min';
  if (keepFiringSeconds === undefined) faults.keepFiringSeconds = 'A time such as 1 min';
  if (
    threshold === undefined ||
    clear === undefined ||
    forSeconds === undefined ||
    keepFiringSeconds === undefined ||
    Object.keys(faults).length > 0
  )
    return { faults };
  const filter = Object.fromEntries(
    form.filter.flatMap(({ key, value }) => (key.trim() === '' ? [] : [[key.trim(), value]])),
  );
  const { host, metric, operator, severity, channels, enabled } = form;
  const body = {
    name, resource: host === '' ? null : host, metric: metric.trim(), filter, operator, threshold,
    // Without a value of its own the threshold itself ends it.
    clear: clear ?? threshold,
    forSeconds, keepFiringSeconds, severity, channels: [...channels], enabled,
  }; // prettier-ignore
  return { body, faults };
}

/** What is sent to make a rule again, or to change a single thing of it. */
export function sameRule(rule: Rule, change: Partial<RuleBody> = {}): RuleBody {
  const { id: _id, builtIn: _builtIn, unit: _unit, firing: _firing, warnings: _warnings, ...body } = rule;
  return { ...body, clear: body.clear ?? body.threshold, ...change };
}
