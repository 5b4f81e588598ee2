import type { Collector, Attributes } from '#sdk';
import type { Link } from './link/link.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { Spool } from './spool/index.ts';

const state = (name: string): Attributes => ({ 'outrider.ledger.state': name });
const READ = state('read');
const SPOOLED = state('spooled');
const ACKNOWLEDGED = state('acknowledged');
const LOST = state('lost');

/** What the agent says of itself. */
export function createOwnMetrics(given: { spool: Spool; link: Pick<Link, 'state'>; pipeline: Pipeline }): Collector {
  return {
    collect(emit) {
      const { user, system } = process.cpuUsage();
      const { linesRead, linesSpooled, linesLost, blocksDropped } = given.pipeline.ledger();
      const { acknowledged, lost } = given.spool.lines();
      emit('outrider.agent.cpu.time', (user + system) / 1e6);
      emit('outrider.agent.memory.usage', process.memoryUsage.rss());
      emit('outrider.agent.spool.usage', given.spool.bytes());
      emit('outrider.agent.log.lines', linesRead, READ);
      emit('outrider.agent.log.lines', linesSpooled, SPOOLED);
      emit('outrider.agent.log.lines', acknowledged, ACKNOWLEDGED);
      emit('outrider.agent.log.lines', linesLost + lost, LOST);
      emit('outrider.agent.runs.dropped', blocksDropped);
      emit('outrider.agent.clock.skew', given.link.state().skewMs / 1000);
    },
  };
}
