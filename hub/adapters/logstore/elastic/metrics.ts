import { Counter, Gauge, type Registry } from 'prom-client';

/** What the store counts of itself. `waiting` gives the characters of lines that wait in this process. */
export function createLogstoreMetrics(registry: Registry, waiting: () => number) {
  const registers = [registry];
  new Gauge({
    name: 'outrider_logstore_waiting_characters',
    help: 'Characters of log lines that wait in this process for the server.',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  return new Counter({
    name: 'outrider_logstore_lines_total',
    help: 'Log lines that the server was given: new to it, resent and there before, or left out because they are past the retention.',
    labelNames: ['outcome'] as const,
    registers,
  });
}
