import { Gauge, Histogram, type Registry } from 'prom-client';
import { failSpan, openSpan, SpanKind } from './tracing.ts';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What a process counts of its services' routes (rate, errors, duration) and of its ports (use, saturation, errors). */
export interface Measures {
  route(labels: { service: string; route: string; method: string; status: string }, seconds: number): void;
  /** The same port, measured: every call that answers later is counted, timed and a span of its trace. */
  port<T extends object>(name: string, adapter: string, port: T): T;
}

/** Makes the measures of a process. */
export function createMeasures(registry: Registry): Measures {
  const routes = new Histogram({
    name: 'outrider_service_request_duration_seconds',
    help: 'Time that a service took for a call, by its route: from the call’s arrival at the service to its answer.',
    labelNames: ['service', 'route', 'method', 'status'] as const,
    buckets: BUCKETS,
    registers: [registry],
  });
  const calls = new Histogram({
    name: 'outrider_port_call_duration_seconds',
    help: 'Time that a port took for a call; for append that is until the data were durable.',
    labelNames: ['port', 'adapter', 'call', 'outcome'] as const,
    buckets: BUCKETS,
    registers: [registry],
  });
  const busy = new Gauge({
    name: 'outrider_port_calls_in_flight',
    help: 'Calls that a port is working on.',
    labelNames: ['port'] as const,
    registers: [registry],
  });

  /** Calls, and measures when the answer comes later; whatever answers at once is handed on. */
  const measured = (port: string, adapter: string, call: string, work: () => unknown): unknown => {
    const attributes = { 'outrider.port': port, 'outrider.adapter': adapter };
    const { span, within } = openSpan(`${port}.${call}`, { kind: SpanKind.INTERNAL, attributes });
    const answer = within(work);
    if (!(answer instanceof Promise)) {
      span.end();
      return answer;
    }
    const ended = calls.startTimer({ port, adapter, call });
    busy.inc({ port });
    const over = (outcome: 'ok' | 'failed'): void => {
      ended({ outcome });
      busy.dec({ port });
      span.end();
    };
    return answer.then(
      (result: unknown) => {
        over('ok');
        return result;
      },
      (error: unknown) => {
        failSpan(span, error);
        over('failed');
        throw error;
      },
    );
  };

  return {
    route: (labels, seconds) => routes.observe(labels, seconds),
    port(name, adapter, port) {
      const wrapped = new Map<PropertyKey, unknown>();
      return new Proxy(port, {
        get(target, key, receiver) {
          const there = wrapped.get(key);
          if (there !== undefined) return there;
          const value: unknown = Reflect.get(target, key, receiver);
          if (typeof value !== 'function') return value;
          const method = value as (...args: unknown[]) => unknown;
          const own = (...args: unknown[]): unknown =>
            measured(name, adapter, String(key), () => method.apply(target, args));
          wrapped.set(key, own);
          return own;
        },
      });
    },
  };
}
