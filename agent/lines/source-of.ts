import { createContainerSource } from './containers/source.ts';
import type { Wrapping } from './containers/line.ts';
import { attributesOfPath } from './containers/path.ts';
import type { LineSettings } from './config.ts';
import { createLineSource, type LineSource, type SourceGiven } from './source.ts';

/** How the lines of a path are wrapped; undefined when they are not. */
export function wrappingOf({ container }: LineSettings, path: string): Wrapping | undefined {
  if (container !== 'auto') return container === 'off' ? undefined : container;
  return attributesOfPath(path) === undefined ? undefined : 'auto';
}

/** Makes the source that reads a path as its settings say. */
export function createSourceOf(path: string, given: SourceGiven): LineSource {
  const wrapping = wrappingOf(given.settings, path);
  return wrapping === undefined ? createLineSource(given) : createContainerSource(given, wrapping);
}
