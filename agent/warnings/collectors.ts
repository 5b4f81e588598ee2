import type { CollectorDefinition, Settings } from '#sdk';
import { isWithoutTargets, type CollectorSettings } from '../collectors.ts';

/** Collectors that the file speaks of, and that tell nothing nevertheless. `tree` is what the file says of collectors. */
export function warningsOfCollectors(
  definitions: readonly CollectorDefinition[],
  settings: Readonly<Record<string, unknown>>,
  tree: Settings,
): string[] {
  return definitions.flatMap((definition) => {
    const { name, enabled = true } = definition;
    const said = tree[name] as Settings | null | undefined;
    if (said === undefined || said === null) return [];
    const place = `collectors.${name}`;
    const { enabled: runs, interval: _interval, ...config } = settings[name] as CollectorSettings;
    const others = Object.keys(said).filter((key) => key !== 'enabled');
    if (!runs) {
      if (others.length === 0) return [];
      const why = enabled ? 'enabled is false' : 'it runs only where somebody asks for it; write enabled: true';
      return [`${place}: ${others.join(', ')}: no effect, because ${why}`];
    }
    if (isWithoutTargets({ enabled: true, interval: 1, ...config }))
      return [`${place}: does not run, because it has no targets; name some below targets`];
    const lacks = definition.lacks?.(config, '/');
    return lacks === undefined ? [] : [`${place}: tells nothing here: ${lacks}`];
  });
}
