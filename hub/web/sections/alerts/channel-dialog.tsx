import { useState, type FormEvent, type ReactNode } from 'react';
import { Dialog, Field } from '../../shell/dialog.tsx';
import { say } from '../../shell/toasts.tsx';
import { isKept, labelOf, missingOf, settingsOf, typedSettings, type TypedSettings } from './channel-form.ts';
import { channelCalls, type Channel, type Kind, type SettingField } from './channel-queries.ts';
import { faultsOf, NO_FAULTS } from './faults.ts';
import { useChange } from './queries.ts';
import type { Severity } from './search.ts';

function Setting({
  name,
  field,
  value,
  kept,
  forgotten,
  fault,
  set,
  forget,
}: {
  name: string;
  field: SettingField;
  value: string | boolean;
  /** A secret that the hub has and does not show. */
  kept: boolean;
  forgotten: boolean;
  fault: string | undefined;
  set(value: string | boolean): void;
  forget(forgotten: boolean): void;
}): ReactNode {
  const text = String(value);
  const write = (event: { target: { value: string } }): void => set(event.target.value);
  if (field.type === 'boolean') {
    return (
      <div className="field">
        <label className="check">
          <input type="checkbox" checked={value === true} onChange={(event) => set(event.target.checked)} />
          {labelOf(name)}
        </label>
        <span className="hint">{field.description}</span>
      </div>
    );
  }
  return (
    <Field label={labelOf(name)} hint={field.description} fault={fault}>
      {field.enum !== undefined ? (
        <select value={text} onChange={write}>
          {field.enum.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      ) : field.type === 'array' ? (
        <textarea rows={2} placeholder="One a line" value={text} onChange={write} />
      ) : field.secret === true ? (
        <span className="row">
          <input
            className="grow"
            type="password"
            autoComplete="new-password"
            disabled={forgotten}
            placeholder={kept ? 'Kept; type to replace it' : ''}
            value={text}
            onChange={write}
          />
          {kept && (
            <button type="button" aria-pressed={forgotten} onClick={() => forget(!forgotten)}>
              {forgotten ? 'Keep it' : 'Remove it'}
            </button>
          )}
        </span>
      ) : (
        <input inputMode={field.type === 'string' ? 'text' : 'numeric'} value={text} onChange={write} />
      )}
    </Field>
  );
}

/** Makes a channel of a kind, or changes one. */
export function ChannelDialog({
  kind,
  channel,
  close,
}: {
  kind: Kind;
  channel: Channel | undefined;
  close(): void;
}): ReactNode {
  const { run, busy } = useChange();
  const [name, setName] = useState(channel?.name ?? '');
  const [minSeverity, setMinSeverity] = useState<Severity>(channel?.minSeverity ?? 'info');
  const [settings, setSettings] = useState<TypedSettings>(() => typedSettings(kind, channel));
  const [forgotten, setForgotten] = useState<readonly string[]>([]);
  const [faults, setFaults] = useState(NO_FAULTS);
  const fields = Object.entries(kind.settings.properties);
  const save = (event: FormEvent): void => {
    event.preventDefault();
    const missing = missingOf(kind, name, settings, channel);
    if (Object.keys(missing).length > 0) return setFaults({ fields: missing, rest: undefined });
    const body = {
      name: name.trim(),
      settings: settingsOf(kind, settings, channel, forgotten),
      minSeverity,
      enabled: channel?.enabled ?? true,
    };
    run(
      () => (channel === undefined ? channelCalls.add(kind.name, body) : channelCalls.change(channel.id, body)),
      () => {
        say(`“${body.name}” is ${channel === undefined ? 'added. Send a test to see that it works' : 'changed'}`);
        close();
      },
      (error) => setFaults(faultsOf(error, ['name', 'minSeverity', ...fields.map(([key]) => key)])),
    );
  };
  return (
    <Dialog title={channel === undefined ? `New channel: ${kind.name}` : channel.name} close={close}>
      <form className="stack alert-form" onSubmit={save} noValidate>
        <p className="quiet small">{kind.summary}</p>
        <Field label="Name" hint="What people and rules call it" fault={faults.fields['name']}>
          <input autoFocus maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        {fields.map(([key, field]) => (
          <Setting
            key={key}
            name={key}
            field={field}
            value={settings[key] ?? ''}
            kept={isKept(channel, key)}
            forgotten={forgotten.includes(key)}
            fault={faults.fields[key]}
            set={(value) => setSettings({ ...settings, [key]: value })}
            forget={(gone) => setForgotten(gone ? [...forgotten, key] : forgotten.filter((one) => one !== key))}
          />
        ))}
        <Field label="Told of" fault={faults.fields['minSeverity']}>
          <select value={minSeverity} onChange={(event) => setMinSeverity(event.target.value as Severity)}>
            <option value="info">everything</option>
            <option value="warning">warning and critical</option>
            <option value="critical">critical only</option>
          </select>
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
            {channel === undefined ? 'Add the channel' : 'Save the channel'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
