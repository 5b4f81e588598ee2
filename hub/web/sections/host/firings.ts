import type { Mark, Span } from '../../chart/line.ts';
import type { HostChart } from './lines.ts';

/** What the charts need to know of an alert. */
export interface Firing {
  firedMs: number;
  resolvedMs: number | null;
  severity: 'info' | 'warning' | 'critical';
  title: string;
  metric: string;
}

/** Alerts as stretches of time, for the ribbon of all charts. */
export const spansOf = (firings: readonly Firing[]): Span[] =>
  firings.map(({ firedMs, resolvedMs, severity, title }) => ({
    fromMs: firedMs,
    toMs: resolvedMs ?? undefined,
    label: title,
    tone: severity,
  }));

/** Alerts as moments, for the charts that draw what they look at, and moments that all charts draw. */
export function marksOf(
  charts: readonly HostChart[],
  firings: readonly Firing[],
  onAll: readonly Mark[] = [],
): Record<string, Mark[]> {
  const marks: Record<string, Mark[]> = {};
  for (const { definition } of charts) {
    const own = firings.filter(({ metric }) => definition.picks.some(({ name }) => name === metric));
    if (own.length + onAll.length === 0) continue;
    const alerts = own.map(({ firedMs, title, severity }): Mark => ({ atMs: firedMs, label: title, tone: severity }));
    marks[definition.id] = [...alerts, ...onAll].sort((a, b) => a.atMs - b.atMs);
  }
  return marks;
}
