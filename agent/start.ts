import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  createLogger,
  fileSink,
  openDataFolder,
  run,
  UNKNOWN_VARIABLE,
  type unknownVariables,
  type Clock,
  type Component,
  type LineSink,
  type Logger,
} from '#sdk';
import { collectorsFor } from '../plugins/collectors/catalogue.ts';
import { createCollectors } from './collectors.ts';
import type { AgentSettings } from './config.ts';
import { problems } from './errors.ts';
import { readBasics, type Inventory } from './inventory/basics.ts';
import { readInventory } from './inventory/index.ts';
import { readIdentity } from './link/identity.ts';
import { createLink, type Link } from './link/link.ts';
import { createOwnMetrics } from './own-metrics.ts';
import { createPipeline } from './pipeline/pipeline.ts';
import { redact } from './redact/redact.ts';
import { createSchedule } from './schedule.ts';
import { openSpool } from './spool/index.ts';
import { createStatusWriter } from './status.ts';
import { createTailer } from './tail/tailer.ts';

/** The newest form of the data folder that this version reads and writes. */
const DATA_FORMAT = 1;

/** How to start an agent. */
export interface StartOptions {
  settings: AgentSettings;
  clock: Clock;
  /** Where log lines go besides the data folder. */
  sinks: readonly LineSink[];
  /** The program that reads the inventory and ends; undefined for none. */
  inventoryEntry: string | undefined;
  /** Variables of the environment that look like settings and are none. */
  unknown: ReturnType<typeof unknownVariables>;
}

/** An agent that collects and sends. */
export interface StartedAgent {
  stop(): Promise<void>;
}

/** The link, which starts once it is known what the machine is. */
function linkPart(link: Link, readMachine: (signal: AbortSignal) => Promise<void>): Component {
  const ending = new AbortController();
  return {
    start() {
      void readMachine(ending.signal).then(() => link.start());
      return Promise.resolve();
    },
    async stop() {
      ending.abort();
      await link.stop();
    },
  };
}

async function parts(options: StartOptions, dataFolder: string, log: Logger) {
  const { settings, clock } = options;
  const identity = readIdentity(dataFolder);
  if (identity === undefined) {
    throw problems.notEnrolled(
      `${dataFolder} holds no identity. Get a join token from the hub and run: outrider-agent enroll --data ${dataFolder}`,
    );
  }
  mkdirSync(join(dataFolder, 'spool'), { recursive: true, mode: 0o700 });
  const spool = await openSpool({ folder: join(dataFolder, 'spool'), limit: settings.spool.limit, log });
  const pipeline = createPipeline({ spool, clock, log });
  const definitions = await collectorsFor(process.platform);
  const collectors = createCollectors(definitions, { settings: settings.collectors, root: '/', log, redact, clock });
  const sets = [
    ...settings.logs,
    ...(settings.ownLog
      ? [{ include: [join(dataFolder, 'log', '*.log')], exclude: [], start: 'beginning' as const }]
      : []),
  ];
  const tailer = createTailer({
    sets,
    pipeline,
    checkpoints: spool.checkpoints(),
    lastRunMs: spool.lastRunMs,
    forget: (source) => spool.forget(source),
    clock,
    log,
  });
  let inventory: Inventory = {};
  const link = createLink({
    identity,
    dataFolder,
    spool,
    clock,
    log,
    hostname: hostname(),
    labels: settings.labels,
    inventory: () => inventory,
  });
  const own = { name: 'agent', collector: createOwnMetrics({ spool, link, pipeline }), intervalMs: 10_000 };
  const schedule = createSchedule({
    collectors: [...collectors, own],
    clock,
    log,
    sink: (block) => pipeline.addBlock(block),
  });
  const readMachine = async (signal: AbortSignal): Promise<void> => {
    const { inventoryEntry: entry } = options;
    inventory = entry === undefined ? readBasics() : await readInventory({ entry, log, clock, signal });
  };
  const { agentId } = identity;
  const status = createStatusWriter({ dataFolder, clock, agentId, spool, link, pipeline, files: () => tailer.files() });
  // Stopped in reverse: nothing is collected any more, what was gathered goes to disk and to the hub, then the stream ends.
  return [
    { name: 'spool', component: { stop: () => spool.close() } },
    { name: 'status', component: status },
    { name: 'link', component: linkPart(link, readMachine) },
    { name: 'pipeline', component: { start: () => Promise.resolve(pipeline.start()), stop: () => pipeline.stop() } },
    { name: 'schedule', component: schedule },
    { name: 'tailer', component: tailer },
  ];
}

/** Starts the agent: the spool first, the link last. */
export async function startAgent(options: StartOptions): Promise<StartedAgent> {
  const { settings, clock } = options;
  const folder = openDataFolder(settings.data, 'agent', DATA_FORMAT);
  try {
    const log = createLogger(settings.log.level, [fileSink(join(folder.path, 'log'), 'agent'), ...options.sinks]);
    for (const unknown of options.unknown) log.warn(UNKNOWN_VARIABLE, { ...unknown });
    const running = await run(await parts(options, folder.path, log), { clock, log });
    log.info('the agent is running', { data: folder.path });
    return {
      async stop() {
        try {
          await running.stop();
          log.info('the agent has stopped');
        } finally {
          folder.close();
        }
      },
    };
  } catch (error) {
    folder.close();
    throw error;
  }
}
