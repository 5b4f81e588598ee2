import type { HubFacts } from '../../service.ts';

/** Finds the service of a path: the longest prefix wins. */
export function serviceFor(routes: HubFacts['routes'], path: string): string | undefined {
  let best: HubFacts['routes'][number] | undefined;
  for (const route of routes) {
    const fits = path === route.prefix || path.startsWith(`${route.prefix}/`);
    if (fits && route.prefix.length > (best?.prefix.length ?? -1)) best = route;
  }
  return best?.service;
}

/**
 * True when a path means the same to everyone who reads it. One with `..`, `%2e%2e`, a backslash or a control character names
 * another place once somebody normalises it, and would lead out of the prefix that let it in.
 */
export function isPlain(path: string): boolean {
  return URL.canParse(path, 'http://hub') && new URL(path, 'http://hub').pathname === path;
}
