import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '#sdk';
import { afterAll, describe, test } from 'vitest';

/** A server that runs. */
export interface RunningServer<Address> {
  address: Address;
  stop(): Promise<void>;
}

/** A server that can be had: an address in the environment, an installed program, or a package. */
export interface FoundServer<Address> {
  /** Where it comes from, for the table that closes `make test`. */
  how: string;
  start(): Promise<RunningServer<Address>>;
}

/** A kind of real server for contract tests. Each has a file of its own here. */
export interface ServerKind<Address> {
  name: string;
  /** Throws with a sentence that says what to do when there is none. */
  find(): Promise<FoundServer<Address>>;
}

/** Writes down for `make test` whether a server was had. */
function record(server: string, facts: { had: boolean; how?: string; reason?: string }): void {
  const results = process.env['OUTRIDER_TEST_RESULTS'] ?? join(import.meta.dirname, '..', '..', '.cache', 'results');
  mkdirSync(join(results, 'servers'), { recursive: true });
  writeFileSync(join(results, 'servers', `${server.toLowerCase()}.json`), JSON.stringify({ server, ...facts }));
}

/** Declares tests on a real server that is stopped after them. Without one they are skipped under its name, and with `CI=true` they fail. */
export async function onServer<Address>(kind: ServerKind<Address>, declare: (address: Address) => void): Promise<void> {
  try {
    const { how, start } = await kind.find();
    const server = await start();
    record(kind.name, { had: true, how });
    afterAll(() => server.stop());
    declare(server.address);
  } catch (error) {
    record(kind.name, { had: false, reason: reasonOf(error) });
    if (process.env['CI'] === 'true') throw error;
    describe.skip(`${kind.name} could not be had: ${reasonOf(error)}`, () => test('its contract'));
  }
}
