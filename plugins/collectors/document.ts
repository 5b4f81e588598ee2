import type { TSchema } from 'typebox';
import { METRICS, SEMANTIC_CONVENTIONS, type MetricName } from '#proto/metrics.ts';
import type { CollectorDefinition } from '#sdk';

/** What precedes the part of a page that is written by hand: traps, which no schema or fixture tells. */
export const HAND_MARK = '<!-- What follows is written by hand. -->';

const SHOWN_VALUES = 6;

/** A value in a cell: what would end the cell or the code span is escaped. */
const code = (text: string): string => (text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``);

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

interface Described {
  default?: unknown;
  description?: string;
  secret?: boolean;
  items?: TSchema;
  properties?: Record<string, TSchema>;
}

/** A row for each setting; what a list or a section holds follows it, as `targets[].url`. */
function settingRows(properties: Record<string, TSchema>, above = ''): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const { default: value, description = '', secret, items, properties: inner } = schema as Described;
    const below = (items as Described | undefined)?.properties;
    const said = secret === true ? `${description} Secret: \`${name}File\` reads it from a file.` : description;
    const shown = value === undefined ? 'none' : code(JSON.stringify(value));
    return [
      ...(inner === undefined ? [row(code(`${above}${name}`), shown, said)] : settingRows(inner, `${above}${name}.`)),
      ...(below === undefined ? [] : settingRows(below, `${above}${name}[].`)),
    ];
  });
}

function settingsTable({ intervalSeconds, enabled = true, config }: CollectorDefinition): string {
  const own = settingRows(config.properties as Record<string, TSchema>);
  const everyones = [
    row(code('enabled'), code(String(enabled)), 'Whether the collector runs.'),
    row(code('interval'), code(String(intervalSeconds)), 'Seconds between two runs.'),
  ];
  return table(['setting', 'default', 'what it does'], [...everyones, ...own]);
}

/** Distinct values by attribute, by metric. */
function attributesByMetric(series: readonly string[]): Map<string, Map<string, Set<string>>> {
  const found = new Map<string, Map<string, Set<string>>>();
  for (const text of series) {
    const [name = '', ...pairs] = text.split(/ (?=[a-z_.]+=)/);
    const attributes = found.get(name) ?? new Map<string, Set<string>>();
    found.set(name, attributes);
    for (const pair of pairs) {
      const [key = '', ...value] = pair.split('=');
      attributes.set(key, (attributes.get(key) ?? new Set()).add(value.join('=')));
    }
  }
  return found;
}

function shownValues(values: ReadonlySet<string>): string {
  const some = [...values].slice(0, SHOWN_VALUES).map(code).join(' ');
  return values.size > SHOWN_VALUES ? `${some} …` : some;
}

function metricsTable(series: readonly string[]): string {
  const found = attributesByMetric(series);
  const names = (Object.keys(METRICS) as MetricName[]).filter((name) => found.has(name));
  const rows = names.map((name) => {
    const { unit, kind, help } = METRICS[name];
    const attributes = [...(found.get(name) ?? [])].map(([key, values]) => `${code(key)}: ${shownValues(values)}`);
    return row(code(name), kind, code(unit), help, attributes.join('<br>'));
  });
  if (rows.length === 0) return 'It tells what others name: it has no metrics of its own.';
  return table(['metric', 'kind', 'unit', 'what it is', 'attributes, as in the captured machines'], rows);
}

/** A collector's page: from its definition, what it emitted for its captured machines, and what is written by hand. */
export function collectorPage(definition: CollectorDefinition, series: readonly string[], byHand = ''): string {
  const { name, summary, platforms } = definition;
  return [
    `# ${name}`,
    summary,
    `Platforms: ${platforms.join(', ')}. Settings stand below \`collectors.${name}\` in the agent's file.`,
    settingsTable(definition),
    metricsTable(series),
    'The schedule adds `outrider.collector.success` and `outrider.collector.duration` to every run. Names that begin with `system.`,\n`process.` or `container.` follow OpenTelemetry’s semantic conventions ' +
      `${SEMANTIC_CONVENTIONS}, or their grammar where those have none.`,
    ...(byHand.trim() === '' ? [] : [`${HAND_MARK}\n\n${byHand.trim()}`]),
  ]
    .join('\n\n')
    .concat('\n');
}
