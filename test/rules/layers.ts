import { join } from 'node:path';
import { cruise, type IFlattenedRuleSet, type IForbiddenRuleType } from 'dependency-cruiser';

/** Who may import whom. Anything that no row allows is a fault; `why` says what to do instead. */
interface Allowance {
  from: string;
  to: string;
}

const FLOOR = '^(plugins/sdk/|proto/|package\\.json$)';

/** One row a sentence: files that match `from` may import files that match `to`. `$1` is the first group of `from`. */
const ALLOWANCES: readonly Allowance[] = [
  { from: '^proto/', to: '^proto/' },
  { from: '^plugins/sdk/', to: FLOOR },
  { from: '^plugins/(collectors|channels)/([^/]+)/', to: FLOOR },
  { from: '^plugins/(collectors|channels)/([^/]+)/', to: '^plugins/$1/$2/' },
  { from: '^plugins/collectors/[^/]+/', to: '^plugins/collectors/(programs|control-groups)/index\\.ts$' },
  { from: '^plugins/collectors/([^/]+)/', to: '^plugins/targets/index\\.ts$' },
  { from: '^plugins/targets/', to: FLOOR },
  { from: '^plugins/targets/', to: '^plugins/targets/' },
  { from: '^plugins/models/', to: FLOOR },
  { from: '^plugins/models/', to: '^plugins/models/' },
  { from: '^agent/', to: '^plugins/models/index\\.ts$' },
  { from: '^hub/services/', to: '^plugins/models/index\\.ts$' },
  { from: '^plugins/(collectors|channels)/[^/]+\\.ts$', to: FLOOR },
  { from: '^plugins/(collectors|channels)/[^/]+\\.ts$', to: '^plugins/$1/([^/]+\\.ts|[^/]+/index\\.ts)$' },
  { from: '^agent/', to: FLOOR },
  { from: '^agent/', to: '^agent/' },
  { from: '^agent/([^/]+\\.ts|commands/)', to: '^plugins/collectors/catalogue\\.ts$' },
  { from: '^hub/ports/', to: FLOOR },
  { from: '^hub/ports/', to: '^hub/(ports/|principal\\.ts$)' },
  { from: '^hub/adapters/', to: FLOOR },
  { from: '^hub/adapters/', to: '^hub/(ports/|(adapter|http|principal|call-context|tracing|jetstream)\\.ts$)' },
  { from: '^hub/adapters/([^/]+)/([^/]+)/', to: '^hub/adapters/$1/$2/' },
  { from: '^hub/adapters/(relational)/', to: '^hub/adapters/$1/sessions/' },
  { from: '^hub/adapters/(series)/', to: '^hub/adapters/$1/points/' },
  { from: '^hub/adapters/', to: '^hub/adapters/duckdb/' },
  { from: '^hub/services/', to: FLOOR },
  {
    from: '^hub/services/',
    to: '^hub/(ports/|(service|http|principal|event-stream|time-range|tracing|jetstream)\\.ts$)',
  },
  { from: '^hub/services/([^/]+)/', to: '^hub/services/$1/' },
  { from: '^hub/catalogue\\.ts$', to: '^hub/(services/[^/]+|adapters/[^/]+/[^/]+)/index\\.ts$' },
  { from: '^hub/catalogue\\.ts$', to: '^plugins/channels/catalogue\\.ts$' },
  { from: '^hub/(commands/)?[^/]+\\.ts$', to: FLOOR },
  { from: '^hub/(commands/)?[^/]+\\.ts$', to: '^hub/(ports/|commands/)?[^/]+\\.ts$' },
  { from: '^hub/web/', to: '^(hub/web/|proto/(metrics|agent/v1/pushed)\\.ts$)' },
  { from: '^(test/|.+\\.(test|contract)\\.ts$)', to: '.' },
];

const NPM_OR_CORE = ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'type-only'];

/** Modules of the world that a layer may not reach, with what to do instead. */
const FORBIDDEN: (IForbiddenRuleType & { name: string; comment: string })[] = [
  {
    name: 'service-reaches-the-world',
    comment: 'A service asks a port; drivers, files, sockets and processes belong to adapters.',
    severity: 'error',
    from: { path: '^hub/services/', pathNot: '(\\.test\\.ts$|^hub/services/ingest/)' },
    to: {
      path: '^(node:)?(fs|fs/promises|net|http|https|http2|child_process|worker_threads|timers|timers/promises)$|node_modules/(pg|pg-boss|@duckdb|undici|nodemailer|@grpc|ioredis|@aws-sdk|@elastic)/',
    },
  },
  {
    name: 'agent-holds-the-hub',
    comment: 'The agent stays small: what the hub uses does not belong into it.',
    severity: 'error',
    from: { path: '^(agent|plugins/(collectors|targets))/', pathNot: '\\.test\\.ts$' },
    to: {
      path: 'node_modules/(pg-boss|kysely|@duckdb|fastify|@fastify|@peculiar|nodemailer|react|undici|jose|prom-client|ioredis|@aws-sdk|@elastic)/',
    },
  },
  {
    // TLS, SCRAM and the protocol by hand would be more of our own to keep. With the options of .make/build.mjs it is a chunk of 161 kB in a bundle of 3.4 MB, which is
    // loaded once a PostgreSQL is asked.
    name: 'agent-holds-pg',
    comment: 'Of what the agent is made of, only the collector of PostgreSQL speaks to PostgreSQL.',
    severity: 'error',
    from: { path: '^(agent|plugins/(collectors|targets))/', pathNot: '(\\.test\\.ts$|^plugins/collectors/postgres/)' },
    to: { path: 'node_modules/pg/' },
  },
  {
    // It takes a second and 60 MB: it is for a process that ends, or for a model that nothing else runs.
    name: 'tensorflow-at-home',
    comment:
      'Only the room of the models loads TensorFlow, and only when it is asked for: go through plugins/models/index.ts.',
    severity: 'error',
    from: {
      path: '^(agent|hub|plugins|proto)/',
      pathNot: '(\\.test\\.ts$|^plugins/models/(tensorflow|autoencoder)\\.ts$)',
    },
    to: { path: '(^|node_modules/)@tensorflow/' },
  },
  {
    name: 'nobody-imports-tests',
    comment: 'Code that ships does not stand on test code: move what it needs into its own room.',
    severity: 'error',
    from: { pathNot: '^test/|\\.(test|contract)\\.ts$' },
    to: { path: '^test/|\\.(test|contract)\\.ts$' },
  },
  {
    name: 'no-circles',
    comment: 'Two files that import each other are one idea: join them, or move what both need into a third.',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
];

const RULES: IFlattenedRuleSet = {
  forbidden: FORBIDDEN,
  allowed: [
    ...ALLOWANCES.map(({ from, to }) => ({ from: { path: from }, to: { path: to } })),
    { from: {}, to: { dependencyTypes: NPM_OR_CORE as never, pathNot: '^(agent|hub|plugins|proto|test)/' } },
  ],
  allowedSeverity: 'error',
};

/** What a look at the imports of a checkout found. */
export interface LayerReport {
  /** One sentence a fault. */
  faults: string[];
  /** TypeScript modules that were read. */
  modules: string[];
}

/** Reads every import below `root` and holds it against the allow-list. */
export async function inspectLayers(root: string, folders: readonly string[]): Promise<LayerReport> {
  const result = await cruise(
    [...folders],
    {
      baseDir: root,
      ruleSet: RULES,
      validate: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '^(dist|coverage)/|(^|/)gen/' },
      tsPreCompilationDeps: true,
      enhancedResolveOptions: {
        exportsFields: ['exports'],
        conditionNames: ['import', 'types', 'node', 'default'],
        extensions: ['.ts', '.tsx', '.js', '.json'],
      },
      moduleSystems: ['es6', 'cjs'],
    },
    {},
    { tsConfig: undefined },
  );
  if (typeof result.output === 'string') throw new Error(result.output);
  const faults = result.output.summary.violations.map(({ from, to, rule }) => {
    const why = FORBIDDEN.find(({ name }) => name === rule.name)?.comment;
    return `${from} imports ${to}: ${why ?? 'no row of the allow-list in test/rules/layers.ts permits it; enter a room by its index.ts, or ask a port'}`;
  });
  const modules = result.output.modules
    .map(({ source }) => source)
    .filter((source) => /\.tsx?$/.test(source) && !source.includes('node_modules'));
  return { faults, modules };
}

/** The checkout that these rules guard. */
export const CHECKOUT = join(import.meta.dirname, '..', '..');
