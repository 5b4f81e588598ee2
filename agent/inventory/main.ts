/** A program that prints what the machine is, as one line of JSON, and ends: the processes that this takes end with it. */
import { gather } from './gather.ts';

const LIMIT_MS = 20_000;

setTimeout(() => process.exit(1), LIMIT_MS).unref(); // Also when nobody is left to stop it.

void gather().then((found) => process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0)));
