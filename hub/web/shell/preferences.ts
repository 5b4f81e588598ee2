import { useSyncExternalStore } from 'react';
import type { Zone } from '../time/range.ts';

/** What a person chose for this browser. */
export interface Preferences {
  theme: 'system' | 'light' | 'dark';
  zone: Zone;
}

const KEY = 'outrider.preferences';
const DEFAULTS: Preferences = { theme: 'system', zone: 'local' };
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function read(): Preferences {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>) };
  } catch {
    return DEFAULTS; // Storage may be closed or hold nonsense; neither matters here.
  }
}

let current = read();

/** The theme that is shown. */
export const shownTheme = (): 'light' | 'dark' =>
  current.theme === 'system' ? (dark.matches ? 'dark' : 'light') : current.theme;

function apply(): void {
  document.documentElement.dataset['theme'] = shownTheme();
  for (const listener of listeners) listener();
}

/** Shows the theme, and follows the system's when it changes. */
export function startTheme(): void {
  dark.addEventListener('change', apply);
  apply();
}

/** Changes some of the preferences, here and after a reload. */
export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Then it lasts until the next reload.
  }
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What the person chose. */
export const usePreferences = (): Preferences => useSyncExternalStore(subscribe, () => current);

/** The theme that is shown; charts are drawn anew when it changes. */
export const useTheme = (): 'light' | 'dark' => useSyncExternalStore(subscribe, shownTheme);
