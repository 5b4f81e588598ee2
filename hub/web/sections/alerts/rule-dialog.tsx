import { useState, type FormEvent, type ReactNode } from 'react';
import { Dialog } from '../../shell/dialog.tsx';
import { say } from '../../shell/toasts.tsx';
import { useChannels } from './channel-queries.ts';
import { faultsOf, NO_FAULTS, type Faults } from './faults.ts';
import { alertCalls, useChange, type Rule } from './queries.ts';
import { LimitFields, TellFields, WhatFields } from './rule-fields.tsx';
import { bodyOf, formOf, RULE_FIELDS, unitOf, type RuleForm } from './rule-form.ts';
import { RulePreview } from './rule-preview.tsx';
import { useMay } from './use-may.ts';

/** These look at more than one stored metric, or at none: the past cannot be asked. */
const WITHOUT_PREVIEW = ['host-silent', 'disk-filling', 'memory-exhausted'];

/** Makes a rule or changes one. */
export function RuleDialog({ rule, close }: { rule: Rule | undefined; close(): void }): ReactNode {
  const [form, setForm] = useState<RuleForm>(() => formOf(rule));
  const [faults, setFaults] = useState<Faults>(NO_FAULTS);
  const { run, busy } = useChange();
  const may = useMay('editor');
  const { data: channels } = useChannels();
  const unit = unitOf(form.metric, rule);
  const { body, faults: typed } = bodyOf(form, unit);
  // It can be tried before it has a name.
  const tried = bodyOf({ ...form, name: 'preview', channels: [] }, unit).body;
  const fixed = rule !== undefined && rule.builtIn !== null;
  const set = (change: Partial<RuleForm>): void => {
    setForm({ ...form, ...change });
    setFaults(NO_FAULTS);
  };
  const save = (event: FormEvent): void => {
    event.preventDefault();
    if (body === undefined) return setFaults({ fields: typed as Record<string, string>, rest: undefined });
    const call = rule === undefined ? () => alertCalls.addRule(body) : () => alertCalls.changeRule(rule.id, body);
    run(
      call,
      ({ name, warnings }) => {
        say(warnings[0] ?? `“${name}” is ${rule === undefined ? 'made' : 'changed'}`);
        close();
      },
      (error) => setFaults(faultsOf(error, RULE_FIELDS)),
    );
  };
  const given = { form, set, faults: faults.fields, unit, fixed };
  const preview = rule?.builtIn === null || rule === undefined || !WITHOUT_PREVIEW.includes(rule.builtIn);
  return (
    <Dialog title={rule === undefined ? 'New rule' : rule.name} close={close}>
      <form className="stack alert-form" onSubmit={save} noValidate>
        {fixed && (
          <p className="quiet small">
            Every organisation has this rule. What it looks at stays; how strict it is and whom it tells is yours.
          </p>
        )}
        <WhatFields {...given} />
        <LimitFields {...given} />
        <TellFields {...given} channels={channels?.items.map(({ name }) => name) ?? []} />
        {preview && <RulePreview body={tried} unit={unit} />}
        {faults.rest !== undefined && (
          <p className="critical" role="alert">
            {faults.rest}
          </p>
        )}
        <footer>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={may.disabled || busy} title={may.title}>
            {rule === undefined ? 'Make the rule' : 'Save the rule'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
