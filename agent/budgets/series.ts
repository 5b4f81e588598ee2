/** How many series there may be at once. */
export interface SeriesLimits {
  /** Of the whole agent. */
  total: number;
  /** Of one metric of one collector. */
  perMetric: number;
}

/** Series of one metric of one collector. */
export interface MetricSeries {
  collector: string;
  metric: string;
  series: number;
  /** Values that found no place, since the start. */
  overflow: number;
}

/** One collector's part of the budget. */
export interface SeriesShare {
  /** Asks for a place for a new series of a metric; false, and counted, when there is none. */
  admit(metric: string): boolean;
  /** Says which series there are after a table was made anew: others gave their places back. */
  kept(metrics: Iterable<string>): void;
}

/** Series as a budget of the whole agent, so that no collector, and no scraped endpoint, floods the hub. */
export interface SeriesBudget {
  shareOf(collector: string): SeriesShare;
  total(): number;
  /** Metrics whose values found no place since the start. */
  overflowing(): MetricSeries[];
  /** The metrics with the most series. */
  largest(count: number): MetricSeries[];
}

/** The names of metrics are told apart up to here; an endpoint could make up as many as it likes. */
const MOST_METRICS = 5000;
const OTHERS = 'others';

/** Begins with no series. */
export function createSeriesBudget({ total: most, perMetric }: SeriesLimits): SeriesBudget {
  const metrics = new Map<string, MetricSeries>();
  let total = 0;
  const entry = (collector: string, name: string): MetricSeries => {
    const metric = metrics.size < MOST_METRICS || metrics.has(`${collector} ${name}`) ? name : OTHERS;
    const key = `${collector} ${metric}`;
    const found = metrics.get(key) ?? { collector, metric, series: 0, overflow: 0 };
    metrics.set(key, found);
    return found;
  };
  /** Takes all places of a collector back. */
  const release = (collector: string): void => {
    for (const [key, one] of metrics) {
      if (one.collector !== collector) continue;
      total -= one.series;
      one.series = 0;
      if (one.overflow === 0) metrics.delete(key);
    }
  };
  const share = (collector: string): SeriesShare => ({
    admit(metric) {
      const one = entry(collector, metric);
      if (total >= most || one.series >= perMetric) {
        one.overflow++;
        return false;
      }
      one.series++;
      total++;
      return true;
    },
    kept(names) {
      release(collector);
      for (const name of names) {
        entry(collector, name).series++;
        total++;
      }
    },
  });
  return {
    shareOf(collector) {
      release(collector); // One that was made anew, as its settings changed, begins anew.
      return share(collector);
    },
    total: () => total,
    overflowing: () => [...metrics.values()].filter(({ overflow }) => overflow > 0),
    largest: (count) => [...metrics.values()].sort((a, b) => b.series - a.series).slice(0, count),
  };
}
