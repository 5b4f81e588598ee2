import { createLogger, systemClock, terminalSink } from '#sdk';
import { metricInfo } from '#proto/metrics.ts';
import { collectorsFor } from '../../plugins/collectors/catalogue.ts';
import { createCollectors } from '../collectors.ts';
import type { AgentSettings } from '../config.ts';
import { redact } from '../redact/index.ts';
import { createSchedule, type MetricBlock } from '../schedule.ts';

interface Row {
  collector: string;
  name: string;
  unit: string;
  attributes: Readonly<Record<string, string>>;
  value: number;
  /** Counters are shown as they stand, not as rates. */
  kind: string;
}

function rowsOf(blocks: readonly MetricBlock[]): Row[] {
  return blocks.flatMap(({ collector, table, values }) =>
    table.series.flatMap(({ name, kind, attributes }, index) => {
      const value = values[index] ?? NaN;
      return Number.isNaN(value)
        ? []
        : [{ collector, name, unit: metricInfo(name)?.unit ?? '', attributes, value, kind }];
    }),
  );
}

/** Six digits are enough for a person; JSON has them all. A share and a count need no unit. */
function measured({ value, unit }: Row): string {
  const number = String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
  return unit === '1' || unit.startsWith('{') ? number : `${number} ${unit}`;
}

/** Runs every collector twice, a second apart, and gives what the second run said. */
export async function collectOnce(settings: AgentSettings, json: boolean): Promise<string> {
  const log = createLogger('warn', [terminalSink()]);
  const collectors = createCollectors(await collectorsFor(process.platform), {
    settings: settings.collectors,
    root: '/',
    log,
    redact,
    clock: systemClock,
  });
  let blocks: MetricBlock[] = [];
  const schedule = createSchedule({ collectors, clock: systemClock, log, sink: (block) => blocks.push(block) });
  await schedule.runOnce();
  await systemClock.sleep(1000);
  blocks = [];
  await schedule.runOnce();
  await schedule.stop();
  const rows = rowsOf(blocks);
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  const label = ({ name, attributes }: Row): string => {
    const inside = Object.entries(attributes)
      .map(([key, value]) => `${key}=${value}`)
      .join(', ');
    return inside === '' ? name : `${name} {${inside}}`;
  };
  return rows.map((row) => `${label(row)}  ${measured(row)}\n`).join('');
}
