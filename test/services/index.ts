import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '#sdk';
import { afterAll, describe, test } from 'vitest';
import type { OwnServer, ServerKind, StartOptions } from './kind.ts';
import { findTool, type ToolName } from './tools.ts';

export { ownName } from './own-name.ts';

/** Writes down for `make test` whether a server was had. */
function record(server: string, facts: { had: boolean; how?: string; reason?: string }): void {
  const results = process.env['OUTRIDER_TEST_RESULTS'] ?? join(import.meta.dirname, '..', '..', '.cache', 'results');
  mkdirSync(join(results, 'servers'), { recursive: true });
  writeFileSync(join(results, 'servers', `${server.toLowerCase()}.json`), JSON.stringify({ server, ...facts }));
}

function skipped(title: string, error: unknown): void {
  record(title, { had: false, reason: reasonOf(error) });
  if (process.env['CI'] === 'true') throw error;
  describe.skip(`${title} could not be had: ${reasonOf(error)}`, () => test('its contract'));
}

/** Declares tests on a real server that other test files use too: name what you make in it with `ownName`. Without one they are skipped under its name, and with `CI=true` they fail. */
export async function onServer<Address>(kind: ServerKind<Address>, declare: (address: Address) => void): Promise<void> {
  try {
    const { how, start } = await kind.find();
    const server = await start();
    record(kind.title, { had: true, how });
    afterAll(() => server.stop());
    declare(server.address);
  } catch (error) {
    skipped(kind.title, error);
  }
}

/** Declares tests that end or restart a real server: `start` gives a new one that nobody else uses; all are stopped after the tests. */
export async function onOwnServer<Address>(
  kind: ServerKind<Address>,
  declare: (start: (options?: StartOptions) => Promise<OwnServer<Address>>) => void,
): Promise<void> {
  const started: OwnServer<Address>[] = [];
  try {
    const found = await kind.findOwn();
    record(kind.title, { had: true, how: found.how });
    afterAll(async () => {
      await Promise.all(started.map((server) => server.stop()));
    });
    declare(async (options) => {
      const server = await found.start(options);
      started.push(server);
      return server;
    });
  } catch (error) {
    skipped(kind.title, error);
  }
}

/** Declares tests that run tools, by their paths. Without one of them they are skipped under its name, and with `CI=true` they fail. */
export async function onTools<Name extends ToolName>(
  names: readonly Name[],
  declare: (paths: Readonly<Record<Name, string>>) => void,
): Promise<void> {
  const paths: Partial<Record<Name, string>> = {};
  for (const name of names) {
    try {
      const { program, how } = await findTool(name);
      record(name, { had: true, how });
      paths[name] = program;
    } catch (error) {
      skipped(name, error);
      return;
    }
  }
  declare(paths as Record<Name, string>);
}
