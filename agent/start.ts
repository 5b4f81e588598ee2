import { mkdirSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import {
  createLogger,
  fileSink,
  openDataFolder,
  run,
  UNKNOWN_VARIABLE,
  type Cancel,
  type Clock,
  type CollectorDefinition,
  type Component,
  type LineSink,
  type Logger,
} from '#sdk';
import { collectorsFor } from '../plugins/collectors/catalogue.ts';
import { createAnomalies } from './anomalies/index.ts';
import { createSensitivity } from './anomalies/sensitivity.ts';
import {
  createBudgetReport,
  createPressure,
  createSeriesBudget,
  processUsage,
  type Pressure,
} from './budgets/index.ts';
import { createCollectors } from './collectors.ts';
import type { AgentSettings, LoadedSettings } from './config.ts';
import { problems } from './errors.ts';
import { readBasics, type Inventory } from './inventory/basics.ts';
import { readInventory } from './inventory/index.ts';
import { readIdentity, type Identity } from './link/identity.ts';
import { createLineCounts } from './lines/index.ts';
import { createLink, type Link } from './link/link.ts';
import { createSkew } from './link/skew.ts';
import { transportOf } from './link/transports/index.ts';
import { createOwnMetrics } from './own-metrics.ts';
import { createPipeline } from './pipeline/pipeline.ts';
import { countStart, createPushed, type Condition, type Pushed, type SettingsExchange } from './pushed/index.ts';
import { createReading, type ReadingGiven } from './reading.ts';
import { redact } from './redact/index.ts';
import type { RenewedPart } from './reload/changes.ts';
import { createReload } from './reload/reload.ts';
import { createSwap } from './reload/swap.ts';
import { createSchedule } from './schedule.ts';
import { createReplays, openSpool, type Spool } from './spool/index.ts';
import { createStatusWriter } from './status.ts';

/** The newest form of the data folder that this version reads and writes. */
const DATA_FORMAT = 1;
/** Files that are younger may not have been seen by the last look of a tailer, however busy the machine was. */
const SCAN_MS = 10_000;

/** How to start an agent. */
export interface StartOptions {
  loaded: LoadedSettings;
  /** Reads all sources of settings again, with a candidate in the place of what the hub pushed; rejects with every fault. */
  load(candidate?: Pushed): Promise<LoadedSettings>;
  /** The settings file that would be read now. */
  file(): string | undefined;
  clock: Clock;
  /** Where log lines go besides the data folder. */
  sinks: readonly LineSink[];
  /** The program that reads the inventory and ends; undefined for none. */
  inventoryEntry: string | undefined;
  /** The program that trains a model and ends; undefined for none. */
  trainingEntry: string | undefined;
}

/** An agent that collects and sends. */
export interface StartedAgent {
  /** Takes changed settings into use. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** The link, which starts once it is known what the machine is. */
function linkPart(link: Link, machineIsKnown: (signal: AbortSignal) => Promise<void>) {
  const ending = new AbortController();
  return {
    link,
    start() {
      void machineIsKnown(ending.signal).then(() => link.start());
      return Promise.resolve();
    },
    async stop() {
      ending.abort();
      await link.stop();
    },
  };
}

/** What bounds the agent: its pressure and its series. */
function createBudgets(
  { budgets, spool: { limit } }: AgentSettings,
  spool: Spool,
  given: { clock: Clock; log: Logger },
) {
  const usage = processUsage(() => spool.bytes());
  return {
    pressure: createPressure({ cpu: budgets.cpu, memory: budgets.memory, spool: limit }, { usage, ...given }),
    series: createSeriesBudget({ total: budgets.series, perMetric: budgets.seriesPerMetric }),
  };
}

/** Looks each second at what the agent uses. */
function pressurePart(pressure: Pressure, clock: Clock): Component {
  let cancel: Cancel | undefined;
  return {
    start() {
      cancel = clock.every(1000, pressure.look);
      return Promise.resolve();
    },
    stop() {
      cancel?.();
      return Promise.resolve();
    },
  };
}

function identityIn(dataFolder: string): Identity {
  const identity = readIdentity(dataFolder);
  if (identity !== undefined) return identity;
  throw problems.notEnrolled(
    `${dataFolder} holds no identity. Get a join token from the hub and run: outrider-agent enroll --data ${dataFolder}`,
  );
}

/** What the machine is, looked up once. */
function createMachine({ inventoryEntry: entry, clock }: StartOptions, log: Logger) {
  let inventory: Inventory | undefined;
  return {
    inventory: () => inventory ?? {},
    async known(signal: AbortSignal): Promise<void> {
      inventory ??= entry === undefined ? readBasics() : await readInventory({ entry, log, clock, signal });
    },
  };
}

/** What every part is made from. */
interface Making extends StartOptions {
  dataFolder: string;
  /** Those in force. */
  settings(): AgentSettings;
  /** Faults that keep what the file says now from being in force. */
  settingFaults(): number;
  log: Logger;
  /** What passes between the hub and the settings that it pushes. */
  exchange: SettingsExchange;
}

/** What reads logs; another one goes on from the places that lie on the disk, as after a restart. */
function createReadings(
  { dataFolder, settings, clock, log }: Making,
  parts: Pick<ReadingGiven, 'spool' | 'pipeline' | 'counts' | 'templates'>,
) {
  let { lastRunMs } = parts.spool;
  let isAgain = false;
  const make = () => {
    const reading = createReading({ ...parts, settings: settings(), dataFolder, lastRunMs, isAgain, clock, log });
    isAgain = true;
    return reading;
  };
  return createSwap(make, async () => {
    lastRunMs = clock.now() - SCAN_MS;
    await parts.pipeline.flush();
  });
}

async function openParts(making: Making) {
  const { clock, dataFolder, settings, settingFaults, log, exchange } = making;
  const { agentId } = identityIn(dataFolder);
  mkdirSync(join(dataFolder, 'spool'), { recursive: true, mode: 0o700 });
  const skew = createSkew(clock);
  const { limit } = settings().spool;
  const spool = await openSpool({ folder: join(dataFolder, 'spool'), limit, log, clock, skew: skew.now });
  const { pressure, series } = createBudgets(settings(), spool, { clock, log });
  const pipeline = createPipeline({ spool, clock, log, pressure, packing: () => link.now().link.state().packing });
  const counts = createLineCounts();
  const { detection } = settings();
  const bootMs = clock.now() - 1000 * uptime();
  const training = { entry: making.trainingEntry, isStrained: () => pressure.steps().length > 0 };
  const anomalies = createAnomalies({ ...pipeline, dataFolder, clock, log, bootMs, detection, training });
  const sensitivity = createSensitivity({
    ...{ dataFolder, log },
    accepts: () => settings().pushed.accept,
    apply: (document) => anomalies.detectBy(document),
    judges: anomalies.judges,
  });
  const tailer = createReadings(making, { spool, pipeline, counts, templates: anomalies.templates });
  const machine = createMachine(making, log);
  const makeLink = () => {
    const { labels, link: how } = settings();
    const identity = identityIn(dataFolder);
    const { compression } = how;
    const given = {
      identity,
      dataFolder,
      spool,
      skew,
      clock,
      log,
      exchange,
      detection: sensitivity,
      hostname: hostname(),
      labels,
      compression,
    };
    const transport = transportOf(how, identity.link);
    return linkPart(createLink({ ...given, transport, inventory: machine.inventory }), machine.known);
  };
  const link = createSwap(makeLink);
  const budgets = createBudgetReport({ settings, spool, pressure, series, handles: () => tailer.now().open() });
  const state = { link: { state: () => link.now().link.state() } };
  const asked = { agentId, spool, pipeline, counts, pressure, series, budgets, settingFaults, ...state };
  const definitions = await collectorsFor(process.platform);
  const collectorsOf = ({ collectors }: AgentSettings, of: readonly CollectorDefinition[]) =>
    createCollectors(of, { settings: collectors, root: '/', log, redact, clock });
  const own = { name: 'agent', collector: createOwnMetrics(asked), intervalMs: 10_000 };
  const schedule = createSchedule({
    collectors: [...collectorsOf(settings(), definitions), own],
    clock,
    log,
    sink(block) {
      anomalies.look(block);
      pipeline.addBlock(block);
    },
    stretch: pressure.stretch,
    series,
  });
  return {
    ...{ asked, spool, pipeline, anomalies, tailer, link, schedule, collectors: definitions.map(({ name }) => name) },
    renewPart: (part: RenewedPart) => ({ tail: tailer, link })[part].renew(),
    renewCollector(name: string, next: AgentSettings) {
      const [scheduled] = collectorsOf(
        next,
        definitions.filter((definition) => definition.name === name),
      );
      schedule.replace(name, scheduled);
    },
  };
}

type Parts = Awaited<ReturnType<typeof openParts>>;

/** How the agent is doing, as far as settings can spoil it. */
function conditionOf({ schedule, asked: { link, budgets, pressure } }: Parts): Condition {
  const overdrawn = budgets().filter(({ usage, limit }) => usage > limit);
  return {
    collectors: schedule.outcomes(),
    lastAckMs: link.state().lastAckMs,
    strains: [
      ...overdrawn.map(({ name }) => `the agent is over its budget of ${name}`),
      ...pressure.steps().map((step) => `the agent gives something up to save: ${step}`),
    ],
  };
}

async function startParts(options: StartOptions, dataFolder: string): Promise<StartedAgent> {
  const { loaded, clock, sinks } = options;
  let settings = (): AgentSettings => loaded.settings;
  const log = createLogger(() => settings().log.level, [fileSink(join(dataFolder, 'log'), 'agent'), ...sinks]);
  for (const unknown of loaded.unknown) log.warn(UNKNOWN_VARIABLE, { ...unknown });
  const exchange: SettingsExchange = { take: (given) => pushed.take(given), watch: (tell) => pushed.watch(tell) };
  let settingFaults = (): number => 0;
  const making = { settings: () => settings(), settingFaults: () => settingFaults(), log, exchange };
  const parts = await openParts({ ...options, dataFolder, ...making });
  const { asked, spool, pipeline, anomalies, tailer, link, schedule, collectors } = parts;
  const reload = createReload({ ...options, ...parts, first: loaded, renewed: () => pushed.settingsChanged(), log });
  settings = reload.settings;
  settingFaults = () => reload.state().faults.length;
  const pushed = createPushed({
    ...{ dataFolder, collectors, settings, clock, log, unfit: loaded.pushedFault },
    check: (candidate) => options.load(candidate),
    reload: async () => {
      await reload.reload();
      const { faults } = reload.state();
      return faults.length === 0 ? undefined : faults.join('\n');
    },
    condition: () => conditionOf(parts),
  });
  const files = (): readonly string[] => tailer.now().files();
  const pushedNow = { pushed: () => pushed.verdict() ?? null, pushedInForce: () => pushed.revision() ?? null };
  const states = { detection: anomalies.state, settings: reload.state, ...pushedNow };
  const status = createStatusWriter({ ...asked, dataFolder, clock, files, ...states });
  // Stopped in reverse: nothing is collected any more, what was gathered goes to disk and to the hub, then the stream ends.
  const running = await run(
    [
      { name: 'spool', component: { stop: () => spool.close() } },
      { name: 'replays', component: createReplays({ spool, clock, log }) },
      { name: 'status', component: status },
      { name: 'link', component: link },
      { name: 'pipeline', component: { start: () => Promise.resolve(pipeline.start()), stop: () => pipeline.stop() } },
      { name: 'anomalies', component: anomalies },
      { name: 'pressure', component: pressurePart(asked.pressure, clock) },
      { name: 'schedule', component: schedule },
      { name: 'tailer', component: tailer },
      { name: 'reload', component: reload },
      { name: 'pushed', component: pushed },
    ],
    { clock, log },
  );
  log.info('the agent is running', { data: dataFolder });
  return {
    reload: reload.reload,
    async stop() {
      await running.stop();
      log.info('the agent has stopped');
    },
  };
}

/** Starts the agent: the spool first, the link last. */
export async function startAgent(options: StartOptions): Promise<StartedAgent> {
  const folder = openDataFolder(options.loaded.settings.data, 'agent', DATA_FORMAT);
  try {
    const loaded = countStart(folder.path, options.clock.now()) ? await options.load() : options.loaded;
    const agent = await startParts({ ...options, loaded }, folder.path);
    return { ...agent, stop: () => agent.stop().finally(() => folder.close()) };
  } catch (error) {
    folder.close();
    throw error;
  }
}
