import { expect, test } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import type { Mount } from './mounts.ts';
import type { StatFs } from './space.ts';
import { createSurvey } from './survey.ts';

const STAT: StatFs = { bsize: 1, blocks: 100, bfree: 50, bavail: 50, files: 0, ffree: 0 };
const mount = (mountpoint: string): Mount => ({
  device: 'd',
  mountpoint,
  type: mountpoint.startsWith('/nfs') ? 'nfs' : 'ext4',
});

/** A world in which mounts hang until they are told to answer. */
function createWorld(hanging: readonly string[]) {
  const answers = new Map<string, () => void>();
  const asked: string[] = [];
  const clock = createManualClock();
  const stat = ({ mountpoint }: Mount): Promise<StatFs> => {
    asked.push(mountpoint);
    if (mountpoint === '/gone') return Promise.reject(new Error('ENOENT'));
    if (!hanging.includes(mountpoint)) return Promise.resolve(STAT);
    return new Promise((resolve) => answers.set(mountpoint, () => resolve(STAT)));
  };
  const survey = createSurvey({ stat, isRemote: ({ type }) => type === 'nfs' }, clock, 1000);
  const look = async (...paths: string[]): Promise<boolean[]> => {
    const found = survey(paths.map(mount));
    await clock.advance(0); // Those that answer at once do so before any time has passed.
    await clock.advance(1000);
    return (await found).map((space) => space !== undefined);
  };
  return { look, asked, answers };
}

test('a mount that hangs is left out and hurts no other', async () => {
  const { look } = createWorld(['/nfs/dead']);
  expect(await look('/', '/nfs/dead', '/data')).toEqual([true, false, true]);
  expect(await look('/', '/nfs/dead', '/nfs/alive')).toEqual([true, false, true]);
});

test('a mount is not asked again before it has answered', async () => {
  const { look, asked, answers } = createWorld(['/nfs/dead']);
  await look('/nfs/dead');
  await look('/nfs/dead');
  expect(asked).toEqual(['/nfs/dead']);
  answers.get('/nfs/dead')?.();
  await look();
  await look('/nfs/dead');
  expect(asked).toEqual(['/nfs/dead', '/nfs/dead']);
});

test('at most two remote mounts may hang at once, and local ones are asked all the same', async () => {
  const { look, asked } = createWorld(['/nfs/a', '/nfs/b', '/nfs/c']);
  for (let i = 0; i < 4; i++) await look('/nfs/a', '/nfs/b', '/nfs/c', '/');
  expect(asked.filter((path) => path.startsWith('/nfs'))).toEqual(['/nfs/a', '/nfs/b']);
  expect(await look('/nfs/c', '/')).toEqual([false, true]);
});

test('a mount that went away is left out', async () => {
  expect(await createWorld([]).look('/gone', '/')).toEqual([false, true]);
});
