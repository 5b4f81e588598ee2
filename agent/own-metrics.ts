import type { Attributes, Collector, Emit } from '#sdk';
import { PRESSURE_STEPS, type BudgetUse, type Pressure, type SeriesBudget } from './budgets/index.ts';
import type { Link } from './link/link.ts';
import type { LineCounts } from './lines/index.ts';
import { DROP_REASONS } from './pipeline/ledger.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { Spool } from './spool/index.ts';

const state = (name: string): Attributes => ({ 'outrider.ledger.state': name });
const READ = state('read');
const SPOOLED = state('spooled');
const ACKNOWLEDGED = state('acknowledged');
const LOST = state('lost');
const DROPPED = state('dropped');

/** Metrics whose overflow is told one by one. */
const OFFENDERS = 10;

const attributesOf = <Name extends string>(key: string, names: readonly Name[]): [Name, Attributes][] =>
  names.map((name) => [name, { [key]: name }]);
const BUDGETS = new Map(
  attributesOf<BudgetUse['name']>('outrider.budget', ['cpu', 'memory', 'disk', 'handles', 'series']),
);
const STEPS = attributesOf('outrider.pressure.step', PRESSURE_STEPS);
const REASONS = attributesOf('outrider.drop.reason', DROP_REASONS);

/** What the agent's own collector asks. */
export interface OwnMetricsGiven {
  spool: Spool;
  link: Pick<Link, 'state'>;
  pipeline: Pipeline;
  pressure: Pick<Pressure, 'steps'>;
  series: Pick<SeriesBudget, 'overflowing'>;
  budgets(): BudgetUse[];
  /** Faults that keep what the settings file says now from being in force. */
  settingFaults(): number;
  /** What the rules of lines dropped and replaced. */
  counts: LineCounts;
}

function emitPressure(emit: Emit, { pipeline, pressure, series, budgets }: OwnMetricsGiven): void {
  for (const { name, usage, limit } of budgets())
    emit('outrider.agent.budget.utilization', usage / limit, BUDGETS.get(name));
  const steps = new Set(pressure.steps());
  for (const [step, attributes] of STEPS) emit('outrider.agent.pressure', steps.has(step) ? 1 : 0, attributes);
  const { dropped } = pipeline.ledger();
  for (const [reason, attributes] of REASONS) {
    emit('outrider.agent.runs.dropped', dropped[reason].runs, attributes);
    emit('outrider.agent.samples.dropped', dropped[reason].samples, attributes);
  }
  const worst = series.overflowing().sort((a, b) => b.overflow - a.overflow);
  for (const { collector, metric, overflow } of worst.slice(0, OFFENDERS))
    emit('outrider.agent.series.overflow', overflow, { 'outrider.collector': collector, 'outrider.metric': metric });
}

/** What the agent says of itself. */
export function createOwnMetrics(given: OwnMetricsGiven): Collector {
  return {
    collect(emit) {
      const { user, system } = process.cpuUsage();
      const { linesRead, linesDropped, linesSpooled, linesLost } = given.pipeline.ledger();
      const { acknowledged, lost } = given.spool.lines();
      emit('outrider.agent.cpu.time', (user + system) / 1e6);
      emit('outrider.agent.memory.usage', process.memoryUsage.rss());
      emit('outrider.agent.spool.usage', given.spool.bytes());
      emit('outrider.agent.log.lines', linesRead, READ);
      emit('outrider.agent.log.lines', linesSpooled, SPOOLED);
      emit('outrider.agent.log.lines', acknowledged, ACKNOWLEDGED);
      emit('outrider.agent.log.lines', linesLost + lost, LOST);
      emit('outrider.agent.log.lines', linesDropped, DROPPED);
      for (const [rule, count] of given.counts.drops)
        emit('outrider.agent.log.dropped', count, { 'outrider.drop.rule': rule });
      for (const [kind, count] of given.counts.redactions)
        emit('outrider.agent.redactions', count, { 'outrider.redaction.kind': kind });
      emitPressure(emit, given);
      emit('outrider.agent.settings.faults', given.settingFaults());
      emit('outrider.agent.clock.skew', given.link.state().skewMs / 1000);
    },
  };
}
