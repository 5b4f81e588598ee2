import { Type, type Static } from 'typebox';
import { defineCollector, type Attributes, type Connect, type Emit, type ForeignMetric } from '#sdk';
import {
  connectHttp,
  createTargets,
  httpFields,
  targetList,
  type HttpTarget,
  type Reader,
} from '../../targets/index.ts';
import { createScrapeReader } from './scrape.ts';

const globList = (description: string) => Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { default: [], maxItems: 200, description }); // prettier-ignore

const fields = {
  ...httpFields,
  keep: globList('Globs of metric names to keep; none: all.'),
  drop: globList('Globs of metric names to leave out.'),
  maxSeries: Type.Integer({
    default: 5000,
    minimum: 1,
    maximum: 10_000,
    description: 'Series that the target may have; further ones are left out and counted.',
  }),
  maxBytes: Type.Integer({
    default: 16_000_000,
    minimum: 1000,
    maximum: 100_000_000,
    description: 'Bytes that an answer may have; a larger one is refused.',
  }),
};

type ScrapeTarget = HttpTarget & Static<ReturnType<typeof Type.Object<typeof fields>>>;

const ACCEPT = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

const connectEndpoint: Connect<ScrapeTarget> = (target) =>
  connectHttp(target, { accept: ACCEPT, maxBytes: target.maxBytes });

const gauge = (name: string): ForeignMetric => ({ name, kind: 'gauge' });
const UP = gauge('up');
const DURATION = gauge('scrape_duration_seconds');
const SAMPLES = gauge('scrape_samples_scraped');
const KEPT = gauge('scrape_samples_post_metric_relabeling');
const OVERFLOW = gauge('scrape_samples_over_limit');

function createReader({ name, url, labels, keep, drop, maxSeries }: ScrapeTarget): Reader {
  const own: Attributes = { job: name, instance: new URL(url).host, ...labels };
  const read = createScrapeReader({ labels: own, keep, drop, maxSeries });
  return {
    async read(ask) {
      const scrape = read(await ask(''));
      return {
        tell(emit: Emit) {
          scrape.tell(emit);
          emit(SAMPLES, scrape.samples, own);
          emit(KEPT, scrape.kept, own);
          emit(OVERFLOW, scrape.overflow, own);
        },
      };
    },
    always(emit, isUp, seconds) {
      emit(UP, isUp ? 1 : 0, own);
      emit(DURATION, seconds, own);
    },
  };
}

/** Endpoints that speak Prometheus' text format or OpenMetrics. */
export const prometheus = defineCollector({
  name: 'prometheus',
  summary: 'Scrapes endpoints that speak Prometheus’ text format or OpenMetrics; their metrics keep their names.',
  platforms: ['linux', 'darwin', 'win32', 'freebsd'],
  intervalSeconds: 10,
  config: Type.Object({ targets: targetList(fields) }, { additionalProperties: false }),
  create: ({ config, ...context }, connect: Connect<ScrapeTarget> = connectEndpoint) =>
    createTargets({ collector: 'prometheus', targets: config.targets, context, connect, reader: createReader }),
});
