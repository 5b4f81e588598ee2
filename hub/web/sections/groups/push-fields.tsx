import { useId, type ReactNode } from 'react';
import { Field } from '../../shell/dialog.tsx';
import { LINE_LEVELS, OWN_LEVELS, type Draft, type DraftFaults } from './draft.ts';

/** What a part of the form shows and changes. */
export interface PushFieldsGiven {
  draft: Draft;
  faults: DraftFaults;
  set(change: Partial<Draft>): void;
}

type Rows = 'collectors' | 'drop' | 'patterns';

/** Changes, adds and removes rows of one list of the draft. */
function rowsOf<K extends Rows>({ draft, set }: PushFieldsGiven, key: K) {
  type Row = Draft[K][number];
  const rows = draft[key] as Row[];
  const put = (next: Row[]): void => set({ [key]: next } as unknown as Partial<Draft>);
  return {
    rows,
    change: (at: number, change: Partial<Row>) => put(rows.map((row, n) => (n === at ? { ...row, ...change } : row))),
    add: (row: Row) => put([...rows, row]),
    remove: (at: number) => put(rows.filter((_row, n) => n !== at)),
  };
}

function Part({
  title,
  hint,
  fault,
  children,
}: {
  title: string;
  hint: string;
  fault: string | undefined;
  children: ReactNode;
}): ReactNode {
  return (
    <fieldset className="group-part">
      <legend>{title}</legend>
      <p className="quiet small">{hint}</p>
      {children}
      {fault !== undefined && <p className="critical small">{fault}</p>}
    </fieldset>
  );
}

function Text({
  label,
  fault,
  example,
  value,
  change,
}: {
  label: string;
  fault: string | undefined;
  example: string;
  value: string;
  change(text: string): void;
}): ReactNode {
  return (
    <Field label={label} fault={fault}>
      <input className="mono" placeholder={example} value={value} onChange={(event) => change(event.target.value)} />
    </Field>
  );
}

function Remove({ what, act }: { what: string; act(): void }): ReactNode {
  return (
    <button type="button" className="bare group-remove" aria-label={`Remove ${what}`} title="Remove" onClick={act}>
      ✕
    </button>
  );
}

function Level({
  levels,
  value,
  none,
  choose,
}: {
  levels: readonly string[];
  value: string;
  none: string;
  choose(level: string): void;
}): ReactNode {
  return (
    <select value={value} onChange={(event) => choose(event.target.value)}>
      <option value="">{none}</option>
      {levels.map((level) => (
        <option key={level}>{level}</option>
      ))}
    </select>
  );
}

/** The least level of the agents' own log. */
export function LevelField({ draft, set, faults }: PushFieldsGiven): ReactNode {
  return (
    <Field label="Least level of the agents’ own log" fault={faults['log.level']}>
      <Level levels={OWN_LEVELS} value={draft.level} none="as each agent has it" choose={(level) => set({ level })} />
    </Field>
  );
}

/** How often collectors run. */
export function CollectorFields(given: PushFieldsGiven & { known: readonly string[] }): ReactNode {
  const { faults, known } = given;
  const { rows, change, add, remove } = rowsOf(given, 'collectors');
  const list = useId();
  const isStrange = (name: string): boolean => name.trim() !== '' && known.length > 0 && !known.includes(name.trim());
  return (
    <Part
      title="How often collectors run"
      hint="In the place of the interval that an agent has. No collector is switched on or off by this."
      fault={faults['collectors']}
    >
      <datalist id={list}>
        {known.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {rows.map(({ name, interval }, n) => (
        <div key={n} className="group-row group-two">
          <Field
            label="Collector"
            fault={faults[`collectors.${n}.name`]}
            {...(isStrange(name)
              ? { hint: 'The agent that was asked reports none of this name; one without it refuses the whole' }
              : {})}
          >
            <input
              className="mono"
              list={list}
              value={name}
              onChange={(event) => change(n, { name: event.target.value })}
            />
          </Field>
          <Field label="Every, seconds" fault={faults[`collectors.${n}.interval`]}>
            <input
              inputMode="decimal"
              value={interval}
              onChange={(event) => change(n, { interval: event.target.value })}
            />
          </Field>
          <Remove what={`the interval of ${name}`} act={() => remove(n)} />
        </div>
      ))}
      <button type="button" className="link" onClick={() => add({ name: '', interval: '' })}>
        Add an interval
      </button>
    </Part>
  );
}

/** Which lines are left out. */
export function DropFields(given: PushFieldsGiven): ReactNode {
  const { faults } = given;
  const { rows, change, add, remove } = rowsOf(given, 'drop');
  return (
    <Part
      title="Lines that are left out"
      hint="Of every file, after the rules that an agent has itself. With a pattern and a level, both must fit."
      fault={faults['drop']}
    >
      {rows.map(({ rule, pattern, below }, n) => (
        <div key={n} className="group-row group-three">
          <Text
            label="Counted as"
            fault={faults[`drop.${n}.rule`]}
            example="health-checks"
            value={rule}
            change={(rule) => change(n, { rule })}
          />
          <Text
            label="Pattern"
            fault={faults[`drop.${n}.pattern`]}
            example="GET /health"
            value={pattern}
            change={(pattern) => change(n, { pattern })}
          />
          <Field label="Below" fault={faults[`drop.${n}.below`]}>
            <Level
              levels={LINE_LEVELS}
              value={below}
              none="any level"
              choose={(level) => change(n, { below: level })}
            />
          </Field>
          <Remove what={`the rule ${rule}`} act={() => remove(n)} />
        </div>
      ))}
      <button type="button" className="link" onClick={() => add({ rule: '', pattern: '', below: '' })}>
        Add a rule
      </button>
    </Part>
  );
}

/** What is replaced in lines. */
export function RedactFields(given: PushFieldsGiven): ReactNode {
  const { draft, faults, set } = given;
  const { rows, change, add, remove } = rowsOf(given, 'patterns');
  return (
    <Part
      title="What is replaced in lines"
      hint="Besides what an agent replaces itself. Nothing that a host hides can be shown from here."
      fault={faults['redact.patterns']}
    >
      <label className="check">
        <input type="checkbox" checked={draft.email} onChange={(event) => set({ email: event.target.checked })} />
        E-mail addresses
      </label>
      <label className="check">
        <input type="checkbox" checked={draft.ip} onChange={(event) => set({ ip: event.target.checked })} />
        IP addresses
      </label>
      {rows.map(({ name, pattern, ignoreCase }, n) => (
        <div key={n} className="group-row group-three">
          <Text
            label="Counted as"
            fault={faults[`redact.patterns.${n}.name`]}
            example="customer"
            value={name}
            change={(name) => change(n, { name })}
          />
          <Text
            label="Pattern"
            fault={faults[`redact.patterns.${n}.pattern`]}
            example="cust-\d+"
            value={pattern}
            change={(pattern) => change(n, { pattern })}
          />
          <label className="check group-check">
            <input
              type="checkbox"
              checked={ignoreCase}
              onChange={(event) => change(n, { ignoreCase: event.target.checked })}
            />
            Capitals or not
          </label>
          <Remove what={`the pattern ${name}`} act={() => remove(n)} />
        </div>
      ))}
      <button type="button" className="link" onClick={() => add({ name: '', pattern: '', ignoreCase: false })}>
        Add a pattern
      </button>
    </Part>
  );
}
