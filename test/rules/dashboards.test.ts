import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { CHECKOUT } from './layers.ts';

const read = (path: string): string => readFileSync(join(CHECKOUT, path), 'utf8');

/** Metrics that the hub's code declares, and those that every Node program has. */
function declared(): Set<string> {
  const files = execFileSync('git', ['ls-files', 'hub/*.ts'], { cwd: CHECKOUT, encoding: 'utf8' }).trim().split('\n');
  const own = files.flatMap((file) => [...read(file).matchAll(/name: '(outrider_\w+)'/g)].map(([, name = '']) => name));
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return new Set([...own, ...registry.getMetricsAsArray().map(({ name }) => name)]);
}

/** Metrics that a text of PromQL names. */
function named(text: string): string[] {
  const names = [...text.matchAll(/\b((?:outrider|nodejs|process)_[a-z0-9_]+)\b/g)].map(([, name = '']) => name);
  return [...new Set(names.map((name) => name.replace(/_(bucket|count|sum)$/, '')))];
}

interface Panel {
  id: number;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}
const dashboard = JSON.parse(read('deploy/grafana/outrider-hub.json')) as { panels: Panel[] };
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

test('the dashboard and the rules ask only for metrics that the hub has', () => {
  const there = declared();
  const asked = named([...expressions, read('deploy/prometheus/outrider-rules.yaml')].join('\n'));
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter((name) => !there.has(name))).toEqual([]);
});

test('no two panels of the dashboard lie over each other', () => {
  const overlaps = dashboard.panels.flatMap((a, n) =>
    dashboard.panels.slice(n + 1).filter(({ gridPos: b }) => {
      const beside = a.gridPos.x + a.gridPos.w <= b.x || b.x + b.w <= a.gridPos.x;
      const above = a.gridPos.y + a.gridPos.h <= b.y || b.y + b.h <= a.gridPos.y;
      return !beside && !above;
    }),
  );
  expect(overlaps).toEqual([]);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});
