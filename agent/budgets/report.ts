import type { BudgetSettings } from './config.ts';
import type { Pressure } from './pressure.ts';
import type { SeriesBudget } from './series.ts';

/** One budget and what of it is used, both in cores, bytes, files or series. */
export interface BudgetUse {
  name: 'cpu' | 'memory' | 'disk' | 'handles' | 'series';
  usage: number;
  limit: number;
}

/** What the report is gathered from. */
export interface BudgetReportGiven {
  settings(): { budgets: BudgetSettings; spool: { limit: number }; openFiles: number };
  spool: { bytes(): number };
  pressure: Pick<Pressure, 'cpu'>;
  series: Pick<SeriesBudget, 'total'>;
  /** Files that are open. */
  handles(): number;
}

/** Says how much of each budget is used now. */
export function createBudgetReport(given: BudgetReportGiven): () => BudgetUse[] {
  const { settings, spool, pressure, series, handles } = given;
  return () => {
    const { budgets, spool: spoolSettings, openFiles } = settings();
    return [
      { name: 'cpu', usage: pressure.cpu(), limit: budgets.cpu },
      { name: 'memory', usage: process.memoryUsage.rss(), limit: budgets.memory },
      { name: 'disk', usage: spool.bytes(), limit: spoolSettings.limit },
      { name: 'handles', usage: handles(), limit: openFiles },
      { name: 'series', usage: series.total(), limit: budgets.series },
    ];
  };
}
