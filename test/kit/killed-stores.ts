import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** When the batches of `append-until-killed.ts` begin, milliseconds, and whose they are. */
export const KILLED_START = 1_750_000_000_000;
export const KILLED_ORG = '11111111-1111-4111-8111-111111111111';

/** Newest durable seq of each `<store> <agent>`. */
export type Durable = ReadonlyMap<string, bigint>;

/** Lets a process append to both embedded stores in a folder, kills it with SIGKILL after so many durable batches, and tells what it was told. */
export async function appendAndKill(folder: string, batches: number): Promise<Durable> {
  const script = join(import.meta.dirname, 'append-until-killed.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const durable = new Map<string, bigint>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [store, agent, seq] = line.split(' ');
    durable.set(`${store} ${agent}`, BigInt(seq ?? 0));
    if (++count === batches) child.kill('SIGKILL');
  }
  if (child.signalCode === null && child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  if (child.signalCode !== 'SIGKILL') throw new Error(`it ended by itself with code ${child.exitCode}`);
  return durable;
}
