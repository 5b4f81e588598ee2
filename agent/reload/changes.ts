import { isDeepStrictEqual } from 'node:util';
import type { AgentSettings } from '../config.ts';

/** Parts of the running agent that are made anew when their settings change. */
export type RenewedPart = 'tail' | 'link';

/** What follows from a change of each section; sections that stand in neither list take effect with the next start. */
const RENEWED: Readonly<Record<string, RenewedPart>> = {
  logs: 'tail',
  journal: 'tail',
  ownLog: 'tail',
  openFiles: 'tail',
  redact: 'tail',
  drop: 'tail',
  labels: 'link',
  link: 'link',
};
/** Sections that are looked up whenever they are needed. */
const LIVE: ReadonlySet<string> = new Set(['log', 'pushed']);

/** What differs between two settings, and what has to be done about it. */
export interface SettingsChanges {
  /** Collectors that end, begin or go on with other settings. */
  collectors: readonly string[];
  parts: readonly RenewedPart[];
  /** Sections that are simply looked up. */
  live: readonly string[];
  /** Sections that only a restart changes. */
  restart: readonly string[];
}

const keysThatDiffer = (before: object, after: object): string[] => {
  const [old, next] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  return keys.filter((key) => !isDeepStrictEqual(old[key], next[key]));
};

/** Compares two settings. */
export function changesBetween(before: AgentSettings, after: AgentSettings): SettingsChanges {
  const sections = keysThatDiffer(before, after).filter((section) => section !== 'collectors');
  return {
    collectors: keysThatDiffer(before.collectors, after.collectors),
    parts: [...new Set(sections.flatMap((section) => RENEWED[section] ?? []))],
    live: sections.filter((section) => LIVE.has(section)),
    restart: sections.filter((section) => RENEWED[section] === undefined && !LIVE.has(section)),
  };
}
