import { useId, type ReactNode } from 'react';
import { METRICS, metricInfo } from '../../../../proto/metrics.ts';
import { Field } from '../../shell/dialog.tsx';
import { typedUnit } from '../../units/quantity.ts';
import type { Faults } from './faults.ts';
import { useHosts, useSeriesOf } from './queries.ts';
import type { RuleForm } from './rule-form.ts';
import { SEVERITIES, type Severity } from './search.ts';
import { OPERATORS, type Operator } from './words.ts';

/** What a part of the form shows and changes. */
export interface FieldsGiven {
  form: RuleForm;
  set(change: Partial<RuleForm>): void;
  faults: Faults['fields'];
  unit: string;
  /** What a rule that everyone has looks at cannot be changed. */
  fixed: boolean;
}

/** Series to choose from: those of the chosen host, or of any one. */
function useChoices(host: string) {
  const { data: hosts } = useHosts();
  const { data } = useSeriesOf(host === '' ? hosts?.[0]?.id : host);
  return { hosts: hosts ?? [], series: data?.items ?? [] };
}

function AttributeFilter({ form, set }: FieldsGiven): ReactNode {
  const id = useId();
  const { series } = useChoices(form.host);
  const own = series.filter(({ name }) => name === form.metric);
  const keys = [...new Set(own.flatMap(({ attributes }) => Object.keys(attributes)))];
  const valuesOf = (key: string): string[] => [...new Set(own.flatMap(({ attributes }) => attributes[key] ?? []))];
  const put = (at: number, change: Partial<{ key: string; value: string }>): void =>
    set({ filter: form.filter.map((one, index) => (index === at ? { ...one, ...change } : one)) });
  const unused = keys.find((key) => form.filter.every((one) => one.key !== key)) ?? '';
  return (
    <fieldset className="alert-filter">
      <legend>Only series with</legend>
      <datalist id={`${id}-keys`}>
        {keys.map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      {form.filter.map(({ key, value }, index) => (
        <div key={index} className="row">
          <input
            className="grow mono"
            aria-label="Attribute"
            placeholder="attribute"
            list={`${id}-keys`}
            value={key}
            onChange={(event) => put(index, { key: event.target.value })}
          />
          <input
            className="grow mono"
            aria-label="Its value"
            placeholder="absent"
            list={`${id}-${index}`}
            value={value}
            onChange={(event) => put(index, { value: event.target.value })}
          />
          <datalist id={`${id}-${index}`}>
            {valuesOf(key).map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
          <button
            type="button"
            className="bare"
            aria-label="Remove this attribute"
            onClick={() => set({ filter: form.filter.filter((_, at) => at !== index) })}
          >
            ✕
          </button>
        </div>
      ))}
      <div className="row small">
        <button
          type="button"
          className="link"
          onClick={() => set({ filter: [...form.filter, { key: unused, value: '' }] })}
        >
          Add an attribute
        </button>
        <span className="quiet">
          {form.filter.length === 0
            ? 'Every series of the metric counts by itself'
            : 'An empty value asks for series without the attribute'}
        </span>
      </div>
    </fieldset>
  );
}

/** What is looked at: the metric, the host and the attributes. */
export function WhatFields(given: FieldsGiven): ReactNode {
  const { form, set, faults, fixed } = given;
  const id = useId();
  const { hosts, series } = useChoices(form.host);
  const names = [...new Set([...Object.keys(METRICS), ...series.map(({ name }) => name)])].sort();
  const help = metricInfo(form.metric)?.help ?? series.find(({ name }) => name === form.metric)?.help;
  return (
    <>
      <Field label="Name" fault={faults['name']}>
        <input
          autoFocus
          maxLength={120}
          value={form.name}
          placeholder="Disk of the database nearly full"
          onChange={(event) => set({ name: event.target.value })}
        />
      </Field>
      <div className="alert-pair">
        <Field
          label="Metric"
          hint={help ?? 'No metric of this name is known yet: the rule waits until something reports one.'}
          fault={faults['metric']}
        >
          <input
            className="mono"
            list={id}
            disabled={fixed}
            value={form.metric}
            onChange={(event) => set({ metric: event.target.value, filter: [] })}
          />
          <datalist id={id}>
            {names.map((name) => (
              <option key={name} value={name}>
                {metricInfo(name)?.help}
              </option>
            ))}
          </datalist>
        </Field>
        <Field label="Host" fault={faults['resource']}>
          <select value={form.host} onChange={(event) => set({ host: event.target.value })}>
            <option value="">Any host</option>
            {hosts.map(({ id: host, name }) => (
              <option key={host} value={host}>
                {name}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <AttributeFilter {...given} />
    </>
  );
}

/** How much is too much, and for how long. */
export function LimitFields({ form, set, faults, unit, fixed }: FieldsGiven): ReactNode {
  const { label } = typedUnit(unit);
  const inUnit = label === '' ? '' : `, ${label}`;
  return (
    <div className="alert-limits">
      <Field label="Is" fault={faults['operator']}>
        <select
          value={form.operator}
          disabled={fixed}
          onChange={(event) => set({ operator: event.target.value as Operator })}
        >
          {Object.entries(OPERATORS).map(([operator, words]) => (
            <option key={operator} value={operator}>
              {words}
            </option>
          ))}
        </select>
      </Field>
      <Field label={`Threshold${inUnit}`} fault={faults['threshold']}>
        <input
          inputMode="decimal"
          value={form.threshold}
          onChange={(event) => set({ threshold: event.target.value })}
        />
      </Field>
      <Field label="Bad for at least" fault={faults['forSeconds']}>
        <input value={form.forTime} placeholder="0 s" onChange={(event) => set({ forTime: event.target.value })} />
      </Field>
      <Field label={`Good again at${inUnit}`} fault={faults['clear']}>
        <input
          inputMode="decimal"
          value={form.clear}
          placeholder={form.threshold}
          onChange={(event) => set({ clear: event.target.value })}
        />
      </Field>
      <Field label="Good for at least before it is over" fault={faults['keepFiringSeconds']}>
        <input value={form.keepTime} placeholder="0 s" onChange={(event) => set({ keepTime: event.target.value })} />
      </Field>
    </div>
  );
}

/** How bad it is, and who is told. */
export function TellFields({ form, set, faults, channels }: FieldsGiven & { channels: readonly string[] }): ReactNode {
  const all = [...new Set([...channels, ...form.channels])];
  const toggle = (name: string): void =>
    set({
      channels: form.channels.includes(name) ? form.channels.filter((one) => one !== name) : [...form.channels, name],
    });
  return (
    <div className="alert-pair">
      <Field label="How bad" fault={faults['severity']}>
        <select value={form.severity} onChange={(event) => set({ severity: event.target.value as Severity })}>
          {SEVERITIES.map((severity) => (
            <option key={severity}>{severity}</option>
          ))}
        </select>
      </Field>
      <fieldset className="alert-filter">
        <legend>Tell</legend>
        {all.length === 0 && <span className="quiet small">Nobody yet: there is no channel</span>}
        {all.map((name) => (
          <label key={name} className="check">
            <input type="checkbox" checked={form.channels.includes(name)} onChange={() => toggle(name)} />
            {name}
            {!channels.includes(name) && <span className="warning small">there is no such channel now</span>}
          </label>
        ))}
        {all.length > 0 && form.channels.length === 0 && <span className="quiet small">None chosen: all are told</span>}
        {faults['channels'] !== undefined && <span className="critical small">{faults['channels']}</span>}
      </fieldset>
    </div>
  );
}
