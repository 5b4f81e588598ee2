import { Registry } from 'prom-client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkSettings, silentLogger, type Logger, systemClock, type Component } from '#sdk';
import type { Static, TObject } from 'typebox';
import type { AdapterContext, AdapterDefinition } from '../../hub/adapter.ts';
import { embeddedLogstore } from '../../hub/adapters/logstore/embedded/index.ts';
import { embeddedSeries } from '../../hub/adapters/series/embedded/index.ts';
import type { LogStore } from '../../hub/ports/logstore.ts';
import type { SeriesStore } from '../../hub/ports/series.ts';

/** Makes an adapter with some settings, the others at their defaults; it is not started. */
export function makeAdapter<Port, Schema extends TObject>(
  definition: AdapterDefinition<Port, Schema>,
  dataFolder: string,
  settings: object = {},
  log: Logger = silentLogger,
): Component & { port: Port } {
  const config = checkSettings(definition.config, settings, []) as Static<Schema>;
  const context: AdapterContext<Static<Schema>> = {
    config,
    dataFolder,
    log,
    clock: systemClock,
    metrics: new Registry(),
    fail: (error) => {
      throw error;
    },
  };
  return definition.create(context);
}

/** Series and log lines on a scratch folder. */
export interface Stores {
  series: SeriesStore;
  logstore: LogStore;
  /** Stops both and removes the folder. */
  stop(): Promise<void>;
}

/** Starts the embedded stores for a test of what needs them. */
export async function startStores(): Promise<Stores> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-stores-'));
  const series = makeAdapter(embeddedSeries, folder);
  const logstore = makeAdapter(embeddedLogstore, folder);
  await Promise.all([series.start?.(), logstore.start?.()]);
  return {
    series: series.port,
    logstore: logstore.port,
    async stop() {
      await Promise.all([series.stop?.(), logstore.stop?.()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
