import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keep } from './kept.ts';
import { defineServer } from './kind.ts';
import { buildStep, demand, goEnvironment, type Source } from './sources.ts';

/** Address of an OpenTelemetry Collector for tests. Find what you sent by a trace id or an attribute of your own. */
export interface OtelcolAddress {
  /** OTLP over HTTP: `<url>/v1/traces`, `/v1/metrics`, `/v1/logs`. */
  url: string;
  /** OTLP over gRPC. */
  grpc: string;
  /** What it was given, one JSON object of OTLP a line, written within a moment. */
  file: string;
}

const VERSION = '0.160.0';
const CORE = 'go.opentelemetry.io/collector';
const CONTRIB = 'github.com/open-telemetry/opentelemetry-collector-contrib';

/** Modules of the distribution: what comes in, what goes out, and what reads its settings. */
const RECEIVER = `${CORE}/receiver/otlpreceiver v${VERSION}`;
const EXPORTER = `${CONTRIB}/exporter/fileexporter v${VERSION}`;
const PROVIDERS = ['envprovider', 'fileprovider'].map((name) => `${CORE}/confmap/provider/${name} v1.66.0`);

/** A distribution with nothing but OTLP in and a file out. */
const MANIFEST = `dist: { name: otelcol, module: outrider/otelcol, output_path: ./out, version: ${VERSION} }
receivers: [{ gomod: "${RECEIVER}" }]
exporters: [{ gomod: "${EXPORTER}" }]
providers: [${PROVIDERS.map((gomod) => `{ gomod: "${gomod}" }`).join(', ')}]
`;

/** Written here, for the builder's own look at modules wants those of tests too, and not all of them are to be had. */
const GO_MOD = `module outrider/otelcol
go 1.25.0
require (
${[RECEIVER, EXPORTER, ...PROVIDERS, `${CORE}/otelcol v${VERSION}`].join('\n')}
)
`;

const BUILT: Source = {
  async get() {
    const kept = await keep('otelcol-to-file', VERSION, async (half, say) => {
      demand(['go']);
      const work = join(half, 'work');
      mkdirSync(work);
      writeFileSync(join(work, 'manifest.yaml'), MANIFEST);
      const env = await goEnvironment();
      await buildStep('go', ['install', `${CORE}/cmd/builder@v${VERSION}`], { env: { ...env, GOBIN: work } });
      say('generating the collector');
      const only = ['--skip-compilation', '--skip-get-modules'];
      await buildStep(join(work, 'builder'), ['--config', 'manifest.yaml', ...only], { cwd: work, env });
      writeFileSync(join(work, 'out', 'go.mod'), GO_MOD);
      say('building the collector');
      const flags = ['-mod=mod', '-trimpath', '-ldflags=-s -w', '-o', join(half, 'otelcol')];
      await buildStep('go', ['build', ...flags, '.'], { cwd: join(work, 'out'), env });
      rmSync(work, { recursive: true });
    });
    return { program: join(kept.folder, 'otelcol'), how: `built with Go, ${VERSION}`, kept };
  },
};

/** OpenTelemetry Collector, a small distribution of our own from the Go module proxy: an installed one need not be able to write files. */
export const otelcol = defineServer<OtelcolAddress>({
  id: 'otelcol',
  title: 'OpenTelemetry Collector',
  parts: ['grpc', 'file'],
  sources: [BUILT],
  // Both protocols on neighbouring ports: a second free one would have to be looked for elsewhere.
  address: (port, _program, folder) => ({
    url: `http://127.0.0.1:${port}`,
    grpc: `http://127.0.0.1:${port + 1}`,
    file: join(folder, 'received.jsonl'),
  }),
  ready: ({ url }) => fetch(url, { signal: AbortSignal.timeout(5_000) }),
  command: ({ program }, { folder, port, address }) => {
    const file = join(folder, 'settings.yaml');
    const settings = {
      receivers: {
        otlp: {
          protocols: {
            http: { endpoint: `127.0.0.1:${port}` },
            grpc: { endpoint: `127.0.0.1:${port + 1}` },
          },
        },
      },
      exporters: { file: { path: address.file, flush_interval: '100ms' } },
      service: {
        telemetry: { metrics: { level: 'none' } },
        pipelines: Object.fromEntries(
          ['traces', 'metrics', 'logs'].map((kind) => [kind, { receivers: ['otlp'], exporters: ['file'] }]),
        ),
      },
    };
    writeFileSync(file, JSON.stringify(settings));
    return { program, args: ['--config', file] };
  },
});
