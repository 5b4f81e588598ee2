/** Writes the page of every collector; with `--check` it only tells which are stale, and fails if one is. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineProblems, type CollectorDefinition } from '#sdk';
import { collectors } from './catalogue.ts';
import { collectorPage, HAND_MARK } from './document.ts';

const problems = defineProblems('collectors', {
  notCaptured: { status: 500, title: 'A collector has no captured machine.' },
});

/** The series of every golden file below a room's captured machines. */
function capturedSeries(room: string): string[] {
  if (!existsSync(join(room, 'testdata')))
    throw problems.notCaptured(
      `${room} has no testdata/: a page tells what a collector said of a captured machine. Capture one as CONTRIBUTING.md says, and run the golden test.`,
    );
  const files = readdirSync(join(room, 'testdata'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('expected.json'))
    .sort();
  return files.flatMap((path) => {
    const runs = JSON.parse(readFileSync(join(room, 'testdata', path), 'utf8')) as { values: Record<string, number> }[];
    return runs.flatMap(({ values }) => Object.keys(values));
  });
}

/** The pages that are not what they should be, by path; writes them unless asked only to look. */
export async function documentAll(
  mode: 'write' | 'check',
  listed: Readonly<Record<string, () => Promise<CollectorDefinition>>> = collectors,
  rooms = import.meta.dirname,
): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, load] of Object.entries(listed)) {
    const room = join(rooms, name);
    const path = join(room, 'README.md');
    const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const byHand = old.split(HAND_MARK)[1] ?? '';
    const page = collectorPage(await load(), capturedSeries(room), byHand);
    if (page === old) continue;
    stale.push(path);
    if (mode === 'write') writeFileSync(path, page);
  }
  return stale;
}

if (process.argv[1] === import.meta.filename) {
  const mode = process.argv.includes('--check') ? 'check' : 'write';
  const stale = await documentAll(mode);
  for (const path of stale) console.log(`${mode === 'check' ? 'stale: ' : 'written: '}${path}`);
  if (mode === 'check' && stale.length > 0) process.exitCode = 1;
}
