import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMiner } from '../../agent/templates/index.ts';
import { serverLines } from './lines.ts';

/**
 * How fast the miner takes lines, what it holds after ten million, and what a plain split into a map costs, which is the floor.
 * usage: templates.ts [FOLDER of .log files, looked for at any depth] [LINES]
 */
const [folder, wanted = '2000000'] = process.argv.slice(2);

const found =
  folder === undefined
    ? [['lines of servers', Buffer.from(serverLines(0, 50_000))] as const]
    : readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.log'))
        .sort()
        .map((name) => [name, readFileSync(join(folder, name))] as const);

function eachLine(bytes: Buffer, take: (from: number, to: number) => void): number {
  let lines = 0;
  for (let from = 0; from < bytes.length; lines++) {
    const at = bytes.indexOf(10, from);
    const to = at < 0 ? bytes.length : at;
    take(from, to);
    from = to + 1;
  }
  return lines;
}

/** Lines a second of CPU time. */
function rate(work: () => number): number {
  const before = process.cpuUsage();
  const lines = work();
  const { user, system } = process.cpuUsage(before);
  return Math.round((lines / (user + system)) * 1e6);
}

function repeat(bytes: Buffer, lines: number, take: (from: number, to: number) => void): number {
  let sum = 0;
  while (sum < lines) sum += eachLine(bytes, take);
  return sum;
}

const EACH = 400_000;
for (const [name, bytes] of found) {
  const miner = createMiner();
  repeat(bytes, 20_000, (from, to) => miner.take(bytes, from, to));
  const mined = rate(() => repeat(bytes, EACH, (from, to) => void miner.take(bytes, from, to)));
  let values = 0;
  const withValues = rate(() =>
    repeat(bytes, EACH, (from, to) => void (values += miner.parameters(miner.take(bytes, from, to)).length)),
  );
  const counts = new Map<string, number>();
  const floor = rate(() =>
    repeat(bytes, EACH / 4, (from, to) => {
      for (const word of bytes.toString('latin1', from, to).split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
    }),
  );
  miner.settle();
  process.stdout.write(
    `${name}: ${mined} lines/s, ${withValues} with their values (split and map: ${floor}); ${miner.templates().length} templates, ${values} values\n`,
  );
}

const miner = createMiner();
const heap = (): number => {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().heapUsed / 1e5) / 10;
};
const all = Buffer.concat(found.flatMap(([, bytes]) => [bytes, Buffer.from('\n')]));
const steps: string[] = [`${heap()} MB before`];
const total = Number(wanted);
for (let step = 0; step < 5; step++) {
  repeat(all, total / 5, (from, to) => void miner.take(all, from, to));
  steps.push(`${heap()} MB after ${((step + 1) * total) / 5}`);
}
process.stdout.write(`heap: ${steps.join(', ')}; ${miner.templates().length} templates\n`);
