/** What a server tells about itself. What it does not tell is undefined. */
export interface ServerFacts {
  kind: 'victoria' | 'prometheus' | 'other';
  /** When its process began, seconds since 1970. */
  startedS: number | undefined;
  bytes: number;
  /** VictoriaMetrics: the shortest distance of samples that it keeps apart. */
  apart: string | undefined;
}

const figure = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);

/** Reads what a server's own metrics tell. */
export function factsFrom(metrics: string): ServerFacts {
  const started = /^process_start_time_seconds (\S+)$/m.exec(metrics)?.[1];
  const victoria = /^vm_app_version\{/m.test(metrics);
  const chunks = figure(metrics, /^prometheus_tsdb_head_chunks (\S+)$/gm) * 160; // Some 120 samples each.
  return {
    kind: victoria ? 'victoria' : /^prometheus_tsdb_head_chunks /m.test(metrics) ? 'prometheus' : 'other',
    startedS: started === undefined ? undefined : Number(started),
    bytes: figure(metrics, /^(?:vm_data_size_bytes\{.*\}|prometheus_tsdb_storage_blocks_bytes) (\S+)$/gm) + chunks,
    apart: /^flag\{name="dedup\.minScrapeInterval", value="([^"]*)"/m.exec(metrics)?.[1],
  };
}
