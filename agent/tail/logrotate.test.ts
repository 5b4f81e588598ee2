import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger } from '#sdk';
import type { TailedLines } from '../lines/index.ts';
import type { Loss } from '../pipeline/loss.ts';
import { sourceOf, type Checkpoint } from '../spool/index.ts';
import { createTailer, type Tailer } from './tailer.ts';

const PROGRAM = '/usr/sbin/logrotate';
const isThere = spawnSync(PROGRAM, ['--version']).status === 0;
const root = mkdtempSync(join(tmpdir(), 'outrider-logrotate-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A log that logrotate rotates as its settings say, and an agent that follows it. */
function createScene(name: string, directives: readonly string[]) {
  const folder = join(root, name.replaceAll(/[^a-z]+/g, '-'));
  mkdirSync(join(folder, 'old'), { recursive: true });
  const log = join(folder, 'app.log');
  const settings = join(folder, 'logrotate.conf');
  const own = ['rotate 30', 'missingok', ...directives].map((line) => `  ${line}\n`).join('');
  writeFileSync(log, '');
  const manual = createManualClock(Date.now());
  const clock = { ...manual, now: () => Date.now() }; // Files have their times from the real one.
  const lines: string[] = [];
  const losses: Loss[] = [];
  const checkpoints = new Map<string, Checkpoint>();
  let lastRunMs: number | undefined;
  let written = 0;
  let rotations = 0;
  let tailer: Tailer | undefined;
  const scene = {
    lines,
    losses,
    written: () => written,
    write(count: number): void {
      for (let n = 0; n < count; n++) appendFileSync(log, `line ${written++} ${'x'.repeat(written % 50)}\n`);
    },
    rotate(): void {
      rotations++;
      writeFileSync(settings, `${log} {\n${own.replace('COUNT', String(rotations))}}\n`, { mode: 0o644 });
      execFileSync(PROGRAM, ['--force', '--state', join(folder, 'state'), settings], { stdio: 'pipe' });
    },
    async look(): Promise<void> {
      for (let n = 0; n < 3; n++) {
        await manual.advance(1000);
        for (let turn = 0; turn < 12; turn++) await new Promise(setImmediate);
      }
    },
    async start(): Promise<void> {
      tailer = createTailer({
        sets: [{ include: [log], exclude: [], start: 'beginning' }],
        pipeline: {
          addLines({ piece, checkpoint }: TailedLines) {
            checkpoints.set(sourceOf(checkpoint), checkpoint);
            if (piece !== undefined)
              lines.push(
                ...piece.bytes
                  .toString()
                  .split('\n')
                  .filter((text) => text !== ''),
              );
          },
          addLost: (loss) => void losses.push(loss),
          hasRoom: () => true,
          room: () => Promise.resolve(),
        },
        handles: 512,
        checkpoints: new Map(checkpoints),
        lastRunMs,
        forget: (source) => void checkpoints.delete(source),
        clock,
        log: silentLogger,
      });
      await tailer.start();
    },
    async stop(): Promise<void> {
      await tailer?.stop();
      lastRunMs = Date.now();
    },
  };
  return scene;
}

describe.skipIf(!isThere)('a real logrotate (apt-get install logrotate)', { timeout: 120_000 }, () => {
  test.each([
    ['rename', ['create']],
    ['copytruncate', ['copytruncate']],
    ['dateext', ['create', 'dateext', 'dateformat -%Y%m%d-COUNT']],
    ['olddir', ['create', 'olddir old']],
    ['compress', ['create', 'compress']],
    ['delaycompress', ['create', 'compress', 'delaycompress']],
    ['dateext+compress', ['create', 'dateext', 'dateformat -%Y%m%d-COUNT', 'compress']],
    ['olddir+compress', ['create', 'olddir old', 'compress']],
    ['copytruncate+compress', ['copytruncate', 'compress']],
  ])('loses and doubles nothing by %s, with the agent running, held up and stopped', async (name, directives) => {
    const scene = createScene(name, directives);
    await scene.start();
    await scene.look();
    try {
      for (let round = 0; round < 4; round++) {
        scene.write(20); // Seen before the rotation.
        await scene.look();
        scene.write(10); // And not seen.
        scene.rotate();
        scene.write(10);
        await scene.look();
        scene.write(5);
        await scene.stop(); // Nobody looks.
        scene.write(5);
        scene.rotate();
        scene.write(5);
        await scene.start();
        await scene.look();
      }
      const arrived = async (): Promise<void> => {
        await scene.look();
        expect(scene.lines.length).toBeGreaterThanOrEqual(scene.written());
      };
      await vi.waitFor(arrived, { timeout: 20_000, interval: 5 }).catch(() => undefined);
      await scene.look();
    } finally {
      await scene.stop();
    }
    const numbers = scene.lines.map((line) => Number(line.split(' ')[1])).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: scene.written() }, (_, n) => n));
    expect(scene.losses).toEqual([]);
  });
});
