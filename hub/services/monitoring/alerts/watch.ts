import type { Engine } from './engine.ts';
import type { NewestValue } from './index.ts';
import { fits, limitsOf, type Rule } from './rule.ts';
import type { Limits } from './state.ts';

/** Looks at one value of one resource. */
type Look = (resource: string, timeMs: number, value: NewestValue) => void;

/** Pages a second that go in and out of swap at once when a machine does little else. */
const THRASHING = 1000;
const SWAPPING = { 'outrider.cause': 'swapping' };
const WHOLE = {};
/** From this share of used space on, a file system is asked about its trend. */
export const WATCHED_USE = 0.5;

/** Memory that is left as a share of all, and swapping in both directions, each a series of its own. */
function memoryLooks(rule: Rule, feed: (reading: Parameters<Engine['feed']>[2]) => void): [string, Look][] {
  const limits = new Map<string, number>();
  const swapIn = new Map<string, number>();
  const thrashing: Limits = { ...limitsOf(rule), operator: 'gte', threshold: THRASHING, clear: THRASHING / 2 };
  return [
    ['system.memory.limit', (resource, _timeMs, { value }) => void limits.set(resource, value)],
    [
      'system.linux.memory.available',
      (resource, timeMs, { value, attributes }) => {
        const limit = limits.get(resource);
        if (limit === undefined || limit <= 0 || !fits(rule, resource, attributes)) return;
        feed({ resource, timeMs, attributes: WHOLE, value: value / limit });
      },
    ],
    [
      'system.paging.operations',
      (resource, timeMs, { value, attributes }) => {
        if (attributes['system.paging.direction'] === 'in') return void swapIn.set(resource, value);
        if (rule.resource !== null && rule.resource !== resource) return;
        const both = Math.min(value, swapIn.get(resource) ?? 0);
        feed({ resource, timeMs, attributes: SWAPPING, value: both, limits: thrashing, unit: '{page}/s' });
      },
    ],
  ];
}

/** What one rule looks at: names of metrics and what to do with their values. */
function looksOf(
  rule: Rule,
  feed: (reading: Parameters<Engine['feed']>[2]) => void,
  fills: Set<string>,
): [string, Look][] {
  switch (rule.builtIn) {
    case 'host-silent':
      return [];
    case 'memory-exhausted':
      return memoryLooks(rule, feed);
    case 'disk-filling':
      return [
        [rule.metric, (resource, _timeMs, { value }) => {
          if (value > WATCHED_USE) fills.add(resource);
        }],
      ]; // prettier-ignore
    default: {
      const sign = rule.builtIn === 'clock-skew' ? Math.abs : (value: number): number => value;
      const look: Look = (resource, timeMs, { attributes, value }) => {
        if (fits(rule, resource, attributes)) feed({ resource, timeMs, attributes, value: sign(value) });
      };
      return [[rule.metric, look]];
    }
  }
}

/** Everything an org's rules look at, by the metric's name: a name that no rule has costs one look-up. */
export function createWatch(engine: Engine) {
  const orgs = new Map<string, { looks: Map<string, Look[]>; fills: Set<string> }>();
  return {
    setRules(org: string, rules: readonly Rule[]): void {
      const looks = new Map<string, Look[]>();
      const fills = orgs.get(org)?.fills ?? new Set<string>();
      for (const rule of rules.filter(({ enabled }) => enabled)) {
        for (const [name, look] of looksOf(rule, (reading) => engine.feed(org, rule.id, reading), fills))
          looks.set(name, [...(looks.get(name) ?? []), look]);
      }
      orgs.set(org, { looks, fills });
    },
    knows: (org: string): boolean => orgs.has(org),
    orgs: (): string[] => [...orgs.keys()],
    observe(org: string, resource: string, timeMs: number, values: Iterable<NewestValue>): void {
      const looks = orgs.get(org)?.looks;
      if (looks === undefined) return;
      for (const value of values) {
        const own = looks.get(value.name);
        if (own !== undefined) for (const look of own) look(resource, timeMs, value);
      }
    },
    /** Resources with a file system over `WATCHED_USE` since this was last asked. */
    takeFills(org: string): string[] {
      const fills = orgs.get(org)?.fills;
      const taken = [...(fills ?? [])];
      fills?.clear();
      return taken;
    },
  };
}
export type Watch = ReturnType<typeof createWatch>;
