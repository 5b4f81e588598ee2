import { Type, type TObject, type TSchema } from 'typebox';
import type { Clock, CollectorDefinition, Logger } from '#sdk';
import type { ScheduledCollector } from './schedule.ts';

/** What every collector's settings have beside its own. */
export interface CollectorSettings {
  enabled: boolean;
  /** Seconds. */
  interval: number;
  [own: string]: unknown;
}

/** The settings of one collector: its own, whether it runs and how often. */
export function settingsOf({ intervalSeconds, enabled = true, config }: CollectorDefinition): TObject {
  return Type.Object(
    {
      enabled: Type.Boolean({ default: enabled, description: 'Whether the collector runs.' }),
      interval: Type.Number({
        default: intervalSeconds,
        minimum: 1,
        maximum: 3600,
        description: 'Seconds between two runs.',
      }),
      ...config.properties,
    },
    { additionalProperties: false, default: {} },
  );
}

/** The schema of `collectors` in the agent's settings: an entry for each, by name. */
export function collectorSettings(definitions: readonly CollectorDefinition[]): TObject {
  const entries = definitions.map((definition): [string, TSchema] => [definition.name, settingsOf(definition)]);
  return Type.Object(Object.fromEntries(entries), { additionalProperties: false, default: {} });
}

/** True of a collector that asks by address as long as nobody gave it one. */
export function isWithoutTargets({ targets }: CollectorSettings): boolean {
  return Array.isArray(targets) && targets.length === 0;
}

/** What all collectors are given. */
export interface CollectorsContext {
  /** By name, as `collectorSettings` checked them. */
  settings: Readonly<Record<string, unknown>>;
  root: string;
  log: Logger;
  /** Replaces secrets in a text that is to leave the host. */
  redact(text: string): string;
  clock: Clock;
}

/** Makes the collectors that the settings enable, ready for a schedule. */
export function createCollectors(
  definitions: readonly CollectorDefinition[],
  { settings, root, log, redact, clock }: CollectorsContext,
): ScheduledCollector[] {
  return definitions.flatMap((definition) => {
    const { name } = definition;
    const own = settings[name] as CollectorSettings | undefined;
    if (own === undefined || !own.enabled || isWithoutTargets(own)) return [];
    const { enabled: _enabled, interval, ...config } = own;
    const intervalMs = Math.round(interval * 1000);
    const context = { config, root, clock, redact, intervalMs, log: log.child({ collector: name }) };
    return [{ name, collector: definition.create(context), intervalMs }];
  });
}
