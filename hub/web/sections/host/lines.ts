import { metricInfo } from '#proto/metrics.ts';
import type { ChartLine } from '../../chart/line.ts';
import { drawnUnit } from '../../units/quantity.ts';
import type { ChartDefinition, Pick } from './charts.ts';

/** A series as the hub names it. */
export interface Series {
  name: string;
  kind: 'gauge' | 'counter';
  unit: string;
  attributes: Readonly<Record<string, string>>;
}

/** A chart and the lines that this host has for it. */
export interface HostChart {
  definition: ChartDefinition;
  help: string;
  unit: string;
  lines: readonly ChartLine[];
}

/** Series that are asked for in one call: they split alike. */
export interface Batch {
  names: readonly string[];
  by: readonly string[];
  without: string | undefined;
}

type Named = { name: string; attributes: Readonly<Record<string, string>> };

/** The name of the line that series with these attributes become; undefined when the pick does not want them. */
export function lineKey(pick: Pick, { name, attributes }: Named): string | undefined {
  if (name !== pick.name || (pick.without !== undefined && attributes[pick.without] !== undefined)) return undefined;
  const values = (pick.by ?? []).map((key) => attributes[key]);
  if (values.includes(undefined) || pick.omit?.includes(values[0] ?? '') === true) return undefined;
  return [name, ...values].join(' ');
}

function labelOf(pick: Pick, attributes: Readonly<Record<string, string>>): string {
  const values = (pick.by ?? []).map((key) => (attributes[key] ?? '').replaceAll('_', ' '));
  return [pick.word, ...(pick.order?.length === 1 ? values.slice(1) : values)].filter(Boolean).join(' ');
}

const ranked = (order: readonly string[] | undefined, value: string): number => {
  const place = order?.indexOf(value) ?? -1;
  return place < 0 ? (order?.length ?? 0) : place;
};

function linesOf(pick: Pick, series: readonly Series[]): ChartLine[] {
  const found = new Map<string, { line: ChartLine; first: string }>();
  for (const one of series) {
    const key = lineKey(pick, one);
    if (key === undefined || found.has(key)) continue;
    const first = one.attributes[pick.by?.[0] ?? ''] ?? '';
    const color = pick.tint?.[first] ?? (/^\d+$/.test(first) ? Number(first) % 8 : undefined);
    found.set(key, { line: { key, label: labelOf(pick, one.attributes), color }, first });
  }
  return [...found.values()]
    .sort(
      (a, b) =>
        ranked(pick.order, a.first) - ranked(pick.order, b.first) ||
        a.line.label.localeCompare(b.line.label, 'en', { numeric: true }),
    )
    .map(({ line }) => line);
}

/** The charts that a host with these series has. Few lines take the palette in their order, which is the same everywhere. */
export function chartsOf(definitions: readonly ChartDefinition[], series: readonly Series[]): HostChart[] {
  return definitions.flatMap((definition) => {
    const lines = definition.picks.flatMap((pick) => linesOf(pick, series));
    const first = series.find(({ name }) => name === definition.picks[0]?.name);
    if (lines.length === 0 || first === undefined) return [];
    const fixed = definition.picks.every(({ by = [], order }) => by.length === 0 || order !== undefined);
    return [
      {
        definition,
        help: metricInfo(first.name)?.help ?? '',
        unit: definition.unit ?? drawnUnit(first.unit, first.kind),
        lines: fixed ? lines.map((line, color) => ({ ...line, color: line.color ?? color % 8 })) : lines,
      },
    ];
  });
}

const sameLines = (a: HostChart, b: HostChart): boolean =>
  a.definition === b.definition &&
  a.lines.length === b.lines.length &&
  a.lines.every(({ key }, index) => key === b.lines[index]?.key);

/** The same charts, those that have not changed as the very objects that they were: what they draw need not be made anew. */
export function keepSame(before: readonly HostChart[], now: readonly HostChart[]): readonly HostChart[] {
  const kept = now.map((chart) => before.find((one) => sameLines(one, chart)) ?? chart);
  return kept.length === before.length && kept.every((chart, index) => chart === before[index]) ? before : kept;
}

/** The calls that fetch the history of these charts: one for all names that split alike. */
export function batchesOf(charts: readonly { definition: ChartDefinition }[]): Batch[] {
  const batches = new Map<string, { names: Set<string>; by: readonly string[]; without: string | undefined }>();
  for (const { definition } of charts) {
    for (const { name, by = [], without } of definition.picks) {
      // What does not split cannot carry what it does without either, so it goes along with any such call.
      const key = JSON.stringify([by, without]);
      const batch = batches.get(key) ?? { names: new Set<string>(), by, without };
      batches.set(key, batch);
      batch.names.add(name);
    }
  }
  return [...batches.values()].map(({ names, by, without }) => ({ names: [...names], by, without }));
}
