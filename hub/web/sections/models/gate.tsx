import type { ReactNode } from 'react';
import { digits } from '../../units/quantity.ts';
import type { Model } from './queries.ts';
import { gateWords } from './words.ts';

type Gate = Model['gate'];

/** Whether a model passed its gate, in a few words. */
export function GateMark({ gate }: { gate: Gate }): ReactNode {
  const failed = gate.checks.filter(({ passed }) => !passed).map(({ words }) => words);
  return (
    <span className={gate.passed ? 'good' : 'critical'} title={failed.join(' ') || undefined}>
      {gate.passed ? '✓' : '✕'} {gateWords(gate)}
    </span>
  );
}

/** What a gate looked at: each check in words, with its value and its limit. */
export function GateChecks({ gate }: { gate: Gate }): ReactNode {
  if (gate.checks.length === 0) return <p className="quiet">It was not tried on anything.</p>;
  return (
    <ul className="model-checks">
      {gate.checks.map(({ name, passed, words, value, limit }) => (
        <li key={name} title={[value, limit].some((one) => one !== null) ? figures(name, value, limit) : name}>
          <span className={passed ? 'good' : 'critical'}>{passed ? '✓' : '✕'}</span>
          <span className="unseen">{passed ? 'passed:' : 'failed:'}</span> {words}
        </li>
      ))}
    </ul>
  );
}

const figures = (name: string, value: number | null, limit: number | null): string =>
  `${name}: ${value === null ? 'no value' : digits(value)}${limit === null ? '' : `, limit ${digits(limit)}`}`;
