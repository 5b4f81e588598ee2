import { checkSettings, silentLogger, systemClock, type CollectorDefinition, type Logger } from '#sdk';

/** Runs a collector on real targets twice, and gives the values of both runs by metric and attributes; `between` happens after the first. */
export async function runCollector(
  definition: CollectorDefinition,
  targets: readonly Record<string, unknown>[],
  between?: () => unknown,
  { settings = {}, log = silentLogger }: { settings?: Record<string, unknown>; log?: Logger } = {},
): Promise<Record<string, number>[]> {
  const faults: string[] = [];
  const config = checkSettings(definition.config, { ...settings, targets }, faults);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const collector = definition.create({ config, root: '/', clock: systemClock, log, redact: (text) => text });
  const runs: Record<string, number>[] = [];
  const never = new AbortController().signal;
  try {
    for (let run = 0; run < 2; run += 1) {
      if (run === 1) await between?.();
      const values: Record<string, number> = {};
      await collector.collect((metric, value, attributes = {}) => {
        const pairs = Object.entries(attributes).map(([key, text]) => `${key}=${text}`);
        values[[typeof metric === 'string' ? metric : metric.name, ...pairs].join(' ')] = value;
      }, never);
      runs.push(values);
    }
  } finally {
    collector.stop?.();
  }
  return runs;
}
