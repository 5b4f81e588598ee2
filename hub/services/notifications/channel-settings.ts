import { checkSettings, type ChannelDefinition } from '#sdk';
import { problems } from './errors.ts';
import type { ChannelSettings } from './tables.ts';

/** Stands for a saved secret wherever settings are shown; sent back, it keeps the saved one. */
export const HIDDEN = '***';

const isEmpty = (value: unknown): boolean => value === undefined || value === '';

/** Settings as they leave the hub: a saved secret is `***`, one that is not set is empty. */
export function shownSettings({ secrets }: ChannelDefinition, settings: ChannelSettings): ChannelSettings {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, secrets.includes(key) && !isEmpty(value) ? HIDDEN : value]),
  );
}

/** Takes every secret out of words that somebody else said, because a receiver may answer with what it was sent. */
export function withoutSecrets({ secrets }: ChannelDefinition, settings: ChannelSettings, words: string): string {
  let clean = words;
  for (const key of secrets) {
    const secret = settings[key];
    if (typeof secret === 'string' && secret !== '') clean = clean.replaceAll(secret, HIDDEN);
  }
  return clean;
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.flatMap(textsOf) : [];
}

/** Text that no database keeps. */
function textFaults(given: ChannelSettings): string[] {
  return Object.entries(given).flatMap(([key, value]) =>
    textsOf(value).some((text) => text.includes('\0') || /\p{Cs}/u.test(text))
      ? [`${key}: holds characters that are no text`]
      : [],
  );
}

/** Secrets that were left out or sent back hidden stay as they were; each that cannot stay is a fault. */
function keepSecrets(
  { secrets, destination }: ChannelDefinition,
  tree: ChannelSettings,
  { old, moved }: { old: ChannelSettings | undefined; moved: (key: string) => boolean },
): string[] {
  const faults: string[] = [];
  const changed = old === undefined ? [] : destination.filter(moved);
  for (const key of secrets) {
    if (tree[key] !== undefined && tree[key] !== HIDDEN) continue;
    const saved = old?.[key];
    if (isEmpty(saved)) {
      if (tree[key] === HIDDEN) faults.push(`${key}: ${HIDDEN} stands for a saved secret, and there is none`);
    } else if (changed.length > 0) {
      faults.push(`${key}: must be given again, because ${changed.join(' and ')} changed and it would go elsewhere`);
    } else tree[key] = saved as string;
  }
  return faults;
}

/** Checks what a person filled in and completes it. Throws one Problem that names every field at fault. */
export function checkedSettings(
  definition: ChannelDefinition,
  given: ChannelSettings,
  old?: ChannelSettings,
): ChannelSettings {
  const faults = textFaults(given);
  const tree = { ...given };
  const bare = Object.fromEntries(Object.entries(given).filter(([key]) => !definition.secrets.includes(key)));
  // Filled in first, so that 587 left out and 587 given are the same place.
  const complete = checkSettings(definition.config, bare, []) as ChannelSettings;
  const moved = (key: string): boolean => JSON.stringify(complete[key]) !== JSON.stringify(old?.[key]);
  faults.push(...keepSecrets(definition, tree, { old, moved }));
  const settings = checkSettings(definition.config, tree, faults) as ChannelSettings;
  if (faults.length === 0) return settings;
  const lines = [...new Set(faults)];
  throw problems.invalidSettings(lines.join('; '), { facts: { faults: lines } });
}
