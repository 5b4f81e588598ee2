export { BudgetSettings } from './config.ts';
export { createPressure, NO_PRESSURE, PRESSURE_STEPS, type Pressure, type PressureStep } from './pressure.ts';
export { createBudgetReport, type BudgetUse } from './report.ts';
export { createSeriesBudget, type MetricSeries, type SeriesBudget, type SeriesShare } from './series.ts';
export { processUsage } from './usage.ts';
