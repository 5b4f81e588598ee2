import { useState, type FormEvent, type ReactNode } from 'react';
import { liveStream } from '../../live/stream.ts';
import { Dialog, Field } from '../../shell/dialog.tsx';
import { usePreferences } from '../../shell/preferences.ts';
import { say } from '../../shell/toasts.tsx';
import type { Zone } from '../../time/range.ts';
import { faultsOf, NO_FAULTS } from './faults.ts';
import { alertCalls, useChange, useHosts, useRules, type SilenceBody } from './queries.ts';
import { SEVERITIES, type Severity } from './search.ts';
import { readEnd } from './silence-end.ts';

interface SilenceForm {
  rule: string;
  resource: string;
  severity: string;
  until: string;
  reason: string;
}

function silenceOf(
  form: SilenceForm,
  nowMs: number,
  zone: Zone,
): { body?: SilenceBody; faults: Record<string, string> } {
  const toMs = readEnd(form.until, nowMs, zone);
  const reason = form.reason.trim();
  const faults = {
    ...(toMs === undefined ? { toMs: 'A time to come: 3 h, 18:00 or 2026-01-31 08:00' } : {}),
    ...(reason === '' ? { reason: 'Say why, for those who come later' } : {}),
  };
  if (toMs === undefined || reason === '') return { faults };
  const orNull = (text: string): string | null => (text === '' ? null : text);
  const severity = orNull(form.severity) as Severity | null;
  const body = { rule: orNull(form.rule), resource: orNull(form.resource), severity, toMs: Math.round(toMs), reason };
  return { body, faults };
}

const FIELDS = ['rule', 'resource', 'severity', 'toMs', 'reason'];

function Choice({
  label,
  none,
  value,
  set,
  options,
}: {
  label: string;
  none: string;
  value: string;
  set(value: string): void;
  options: readonly { id: string; name: string }[];
}): ReactNode {
  return (
    <Field label={label}>
      <select value={value} onChange={(event) => set(event.target.value)}>
        <option value="">{none}</option>
        {options.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Makes a silence. */
export function NewSilence({ close }: { close(): void }): ReactNode {
  const { data: rules } = useRules();
  const { data: hosts } = useHosts();
  const { zone } = usePreferences();
  const { run, busy } = useChange();
  const [form, setForm] = useState<SilenceForm>({ rule: '', resource: '', severity: '', until: '2 h', reason: '' });
  const [faults, setFaults] = useState(NO_FAULTS);
  const set = (change: Partial<SilenceForm>): void => setForm({ ...form, ...change });
  const save = (event: FormEvent): void => {
    event.preventDefault();
    const { body, faults: typed } = silenceOf(form, liveStream.now(), zone);
    if (body === undefined) return setFaults({ fields: typed, rest: undefined });
    run(
      () => alertCalls.silence(body),
      () => {
        say('The silence holds');
        close();
      },
      (error) => setFaults(faultsOf(error, FIELDS)),
    );
  };
  return (
    <Dialog title="New silence" close={close}>
      <form className="stack" onSubmit={save} noValidate>
        <p className="quiet small">Alerts still fire and are kept; nobody is told of them.</p>
        <Choice
          label="Rule"
          none="Every rule"
          value={form.rule}
          set={(rule) => set({ rule })}
          options={rules?.items ?? []}
        />
        <Choice
          label="Host"
          none="Any host"
          value={form.resource}
          set={(resource) => set({ resource })}
          options={hosts ?? []}
        />
        <Choice
          label="How bad"
          none="Any"
          value={form.severity}
          set={(severity) => set({ severity })}
          options={SEVERITIES.map((id) => ({ id, name: id }))}
        />
        <Field label="Until" hint="3 h, 18:00 or 2026-01-31 08:00" fault={faults.fields['toMs']}>
          <input value={form.until} onChange={(event) => set({ until: event.target.value })} />
        </Field>
        <Field label="Why" fault={faults.fields['reason']}>
          <input
            maxLength={500}
            value={form.reason}
            placeholder="Planned work on the database"
            onChange={(event) => set({ reason: event.target.value })}
          />
        </Field>
        {faults.rest !== undefined && (
          <p className="critical" role="alert">
            {faults.rest}
          </p>
        )}
        <footer>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={busy}>
            Silence
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
