import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import { Problem, systemClock, VERSION, type Component } from '#sdk';

export { SpanKind } from '@opentelemetry/api';

/** Where spans go and how many. */
export interface TracingSettings {
  endpoint: string;
  ratio: number;
}

const EXPORT_MS = 5_000;

/** Sends spans over OTLP while it runs; without an endpoint nothing is recorded and a span costs next to nothing. */
export function createTracing({ endpoint, ratio }: TracingSettings, target: string): Component {
  if (endpoint === '') return {};
  let provider: BasicTracerProvider | undefined;
  return {
    start() {
      const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_MS });
      provider = new BasicTracerProvider({
        resource: resourceFromAttributes({
          [ATTR_SERVICE_NAME]: 'outrider-hub',
          [ATTR_SERVICE_VERSION]: VERSION,
          'outrider.target': target,
        }),
        sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
        spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 1_000 })],
      });
      trace.setGlobalTracerProvider(provider);
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      return Promise.resolve();
    },
    async stop() {
      // A collector that is away must not hold the hub back.
      await provider?.shutdown().catch(() => undefined);
      provider = undefined;
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

/** What a span is. */
export interface SpanOptions {
  kind?: SpanKind;
  attributes?: Attributes;
  /** Carried trace context of whoever asked: `traceparent` among headers. */
  from?: Readonly<Record<string, unknown>>;
}

const tracer = () => trace.getTracer('outrider-hub', VERSION);

/** Opens a span that the caller ends, and a way to run work inside it. */
export function openSpan(
  name: string,
  { kind, attributes, from }: SpanOptions,
): { span: Span; within<T>(work: () => T): T } {
  const parent = from === undefined ? context.active() : propagation.extract(ROOT_CONTEXT, from);
  const span = tracer().startSpan(name, { kind, attributes }, parent);
  return { span, within: (work) => context.with(trace.setSpan(parent, span), work) };
}

/** Marks a span as failed. What a caller did wrong is an answer, not a failure. */
export function failSpan(span: Span, error: unknown): void {
  const { status, code } = error instanceof Problem ? error : { status: 500, code: undefined };
  if (code !== undefined) span.setAttribute('error.type', code);
  if (status < 500) return;
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
}

/** Runs `work` in a span of its own. */
export async function traced<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const { span, within } = openSpan(name, options);
  try {
    return await within(work);
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Headers with the present trace among them, for the next process. */
export function withTrace(headers: Readonly<Record<string, string>>): Record<string, string> {
  const carrier = { ...headers };
  propagation.inject(context.active(), carrier);
  return carrier;
}

/** Facts for log lines: which trace and span they belong to; none outside of a recorded one. */
export function traceFacts(): Record<string, string> {
  const { traceId, spanId, traceFlags } = trace.getActiveSpan()?.spanContext() ?? { traceFlags: 0 };
  return traceId === undefined || spanId === undefined || traceFlags === 0
    ? {}
    : { trace_id: traceId, span_id: spanId };
}

/** A span for a statement that is over; what it said stands in it without its values. */
export function statementSpan(statement: string, durationMs: number, error?: unknown): void {
  if (trace.getActiveSpan()?.isRecording() !== true) return;
  const endTime = systemClock.now();
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': statement.slice(0, 2_000) };
  const verb = /^\s*(\w+)/.exec(statement)?.[1]?.toUpperCase() ?? 'SQL';
  const span = tracer().startSpan(verb, { kind: SpanKind.CLIENT, attributes, startTime: endTime - durationMs });
  if (error !== undefined) failSpan(span, error);
  span.end(endTime);
}
