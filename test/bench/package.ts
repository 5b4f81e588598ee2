// Size and start of what `make package` leaves: package.ts [FOLDER] [RUNS]. The floor is the Node that is in it, doing nothing.
// Alone on two shared cores (load below 1): see installers/README.md.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const folder = process.argv[2] ?? join(import.meta.dirname, '..', '..', 'dist', 'package');
const runs = Number(process.argv[3] ?? 20);
const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
const program = readdirSync(folder).find((name) => name.endsWith(`-linux-${architecture}`));
if (program === undefined) throw new Error(`${folder} holds no executable for ${architecture}: run make package`);
const path = join(folder, program);

/** Seconds from the call to the end, of each run; the two commands take turns, so that both see the same machine. */
function race(commands: readonly (readonly [string, ...string[]])[]): number[][] {
  const times = commands.map((): number[] => []);
  for (let run = 0; run < runs; run++)
    commands.forEach(([file, ...args], at) => {
      const begun = performance.now();
      execFileSync(file, args, { stdio: 'ignore' });
      times[at]?.push((performance.now() - begun) / 1000);
    });
  return times.map((one) => one.sort((a, b) => a - b));
}
const median = (sorted: readonly number[] = []): string => (sorted[Math.floor(sorted.length / 2)] ?? NaN).toFixed(3);

const packed = `${path}.tar.gz`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const size = existsSync(packed) ? statSync(packed).size : gzipSync(readFileSync(path)).length;
console.log(`${program}: ${megabytes(statSync(path).size)}, ${megabytes(size)} gzipped`);
const [start, floor] = race([
  [path, '--version'],
  [process.execPath, '-e', '0'],
]);
console.log(
  `start: ${median(start)} s (median of ${runs}); this Node ${process.version} doing nothing: ${median(floor)} s`,
);
