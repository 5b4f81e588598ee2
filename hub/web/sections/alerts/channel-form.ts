import type { Channel, Kind, SettingField, SettingValue } from './channel-queries.ts';

/** Stands for a saved secret in what the hub answers. */
const HIDDEN = '***';

/** Settings as they are typed: texts, and what is ticked. */
export type TypedSettings = Readonly<Record<string, string | boolean>>;

const typed = (value: SettingValue | undefined): string | boolean => {
  if (Array.isArray(value)) return value.join('\n');
  return typeof value === 'boolean' ? value : String(value ?? '');
};

/** True when the hub has this secret and does not show it. */
export const isKept = (channel: Channel | undefined, key: string): boolean => channel?.settings?.[key] === HIDDEN;

/** The form of a channel, or of one that is to be made. */
export function typedSettings(kind: Kind, channel: Channel | undefined): TypedSettings {
  return Object.fromEntries(
    Object.entries(kind.settings.properties).map(([key, field]) => [
      key,
      isKept(channel, key)
        ? ''
        : typed(channel?.settings?.[key] ?? field.default ?? (field.type === 'boolean' ? false : '')),
    ]),
  );
}

function read(field: SettingField, value: string | boolean): SettingValue {
  if (typeof value === 'boolean') return value;
  if (field.type === 'array')
    return value
      .split(/[\n,;]/)
      .map((one) => one.trim())
      .filter((one) => one !== '');
  // What is no number is sent as it is, and the hub says so beside the field.
  if ((field.type === 'integer' || field.type === 'number') && value.trim() !== '' && Number.isFinite(Number(value)))
    return Number(value);
  return field.secret === true ? value : value.trim();
}

/** What is sent: secrets that were not typed anew stay away, and so are kept; `forgotten` ones are sent empty. */
export function settingsOf(
  kind: Kind,
  given: TypedSettings,
  channel: Channel | undefined,
  forgotten: readonly string[],
): Record<string, SettingValue> {
  return Object.fromEntries(
    Object.entries(kind.settings.properties).flatMap(([key, field]): [string, SettingValue][] => {
      const value = given[key] ?? '';
      if (value === '' && isKept(channel, key)) return forgotten.includes(key) ? [[key, '']] : [];
      // What is empty and not needed is left to its default.
      if (value === '' && field.type !== 'string') return [];
      if (value === '' && field.default !== undefined) return [[key, field.default]];
      return [[key, read(field, value)]];
    }),
  );
}

/** What must be filled in before it is worth asking the hub, by name of the field. */
export function missingOf(
  kind: Kind,
  name: string,
  given: TypedSettings,
  channel: Channel | undefined,
): Record<string, string> {
  const empty = kind.settings.required.filter((key) => (given[key] ?? '') === '' && !isKept(channel, key));
  const missing = Object.fromEntries(empty.map((key) => [key, 'This is needed']));
  return name.trim() === '' ? { name: 'Give it a name', ...missing } : missing;
}

const WORDS: Readonly<Record<string, string>> = {
  tls: 'TLS', url: 'URL', to: 'To', from: 'From', user: 'User name', verifyCertificate: 'Check the certificate',
}; // prettier-ignore

/** The name of a setting for people: verifyCertificate is “Verify certificate”. */
export function labelOf(key: string): string {
  const spaced = key.replace(
    /([a-z])([A-Z])/g,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  );
  return WORDS[key] ?? `${(spaced[0] ?? '').toUpperCase()}${spaced.slice(1)}`;
}
