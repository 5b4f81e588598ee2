// Lost, torn and doubled lines under rotation and SIGKILL: nine cases at one rate, through the built agent and a small hub that
// speaks the real protocol and takes each batch once. At 10,000 and at 50,000 lines/s (two shared cores, load above 20): 0 lost, 0 torn
// and 0 doubled in all nine, but for what `recreate` removed while no agent ran, some 15,000 and 158,000 lines of the files of three seconds.
// Into a real hub at both rates the same (load 1 and 12): of 20,029 and 350,088 lines that were removed while no agent ran 17,091 and 69,975 were lost.
//   rotate.ts [--rate 10000] [--secs 15] [--only NAME]    writes, rotates, kills and counts by itself; with --hub into a real hub,
//     whose API is asked for every line, and which is killed where the small one only waits
//   rotate.ts serve --logs DIR [--data DIR]               forwards what the agent sends to 127.0.0.1:19515, for a generator of
//     somebody else that starts and kills the agent itself: `node rotate.mjs custom --cmd "node dist/outrider-agent run --quiet --data DATA"`
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { startProgram, type Program } from '#kit/programs.ts';
import { systemClock } from '#sdk';
import { createForwarder } from '../kit/forward-lines.ts';
import { realSink, smallSink, timeOf, type Arrived, type RotationSink } from './rotation-sinks.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: 'string', default: '10000' },
    secs: { type: 'string', default: '15' },
    only: { type: 'string' },
    logs: { type: 'string' },
    data: { type: 'string' },
    port: { type: 'string', default: '19515' },
    hub: { type: 'boolean', default: false },
  },
});
const [RATE, SECS] = [Number(values.rate), Number(values.secs)];
const ROTATE_MS = 1000;
const BASE_MS = Math.floor(systemClock.now() / 1000) * 1000;
const ROTATIONS = ['rename', 'copytruncate', 'recreate', 'rename-gzip'] as const;
type Rotation = (typeof ROTATIONS)[number] | 'none';
interface Case {
  name: string;
  rotation: Rotation;
  kill: boolean;
  down: boolean;
}
const CASES: readonly Case[] = [
  ...ROTATIONS.flatMap((rotation) => [
    { name: rotation, rotation, kill: false, down: false },
    { name: `${rotation}+kill`, rotation, kill: true, down: false },
  ]),
  { name: 'sink-down', rotation: 'none', kill: false, down: true },
];

const lineOf = (id: number): string =>
  `${new Date(timeOf(id, BASE_MS, RATE)).toISOString()} host app: level=info msg="${'x'.repeat(43 - String(id).length)}" id=${id} end`;

/** Compares what came out with what was written. */
async function judge(sink: RotationSink, written: number): Promise<Arrived> {
  const got = new Uint16Array(written);
  let torn = 0;
  await sink.each((text) => {
    const id = Number(/id=(\d+) end$/.exec(text)?.[1] ?? -1);
    if (id >= 0 && id < written && text === lineOf(id)) got[id] = (got[id] ?? 0) + 1;
    else torn++;
  });
  const sums = { lost: 0, doubled: 0, torn };
  for (const count of got) {
    if (count === 0) sums.lost++;
    else sums.doubled += count - 1;
  }
  return sums;
}

/** Rotates `app.log` one way and gives the handle to write on. */
function rotate(rotation: Rotation, file: string, handle: number, n: number): number {
  if (rotation === 'copytruncate') {
    copyFileSync(file, `${file}.${n}`);
    ftruncateSync(handle, 0);
    return handle;
  }
  closeSync(handle);
  if (rotation === 'recreate') unlinkSync(file);
  else renameSync(file, `${file}.${n}`);
  const next = openSync(file, 'a');
  if (rotation === 'rename-gzip') {
    writeFileSync(`${file}.${n}.gz`, gzipSync(readFileSync(`${file}.${n}`)));
    unlinkSync(`${file}.${n}`);
  }
  return next;
}

/** Waits until all is there, or nothing has come for long. */
async function untilQuiet(sink: RotationSink, written: number): Promise<void> {
  let [last, quietSince] = [sink.count(), performance.now()];
  while (sink.count() < written && performance.now() - quietSince < 20_000) {
    await systemClock.sleep(200);
    if (sink.count() !== last) quietSince = performance.now();
    last = sink.count();
  }
  await systemClock.sleep(2000); // What is doubled comes late.
}

/** Plays one case; `unreadable` lines were in files that were removed while no agent ran. */
async function play({ rotation, kill, down }: Case, folder: string) {
  const logs = join(folder, 'logs');
  const data = join(folder, 'data');
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  const file = join(logs, 'app.log');
  let handle = openSync(file, 'a');
  const sink = values.hub ? await realSink(BASE_MS, SECS + 60) : await smallSink();
  await sink.prepare(data, logs);
  const launch = (): Program => startProgram('agent', ['run', '--quiet', '--data', data]);
  let agent = launch();
  await systemClock.sleep(3000);
  let [written, rotations, unreadable, fileBegan] = [0, 0, 0, 0];
  let [isAway, heard, relaunch, outage] = [false, Infinity, Promise.resolve(), Promise.resolve()];
  let [isKilled, isDown] = [false, false];
  const begun = performance.now();
  while (performance.now() - begun < SECS * 1000) {
    await systemClock.sleep(10);
    if (sink.count() > heard) isAway = false;
    const elapsed = performance.now() - begun;
    const want = Math.floor((elapsed / 1000) * RATE);
    let text = '';
    for (; written < want; written++) text += `${lineOf(written)}\n`;
    if (text !== '') writeSync(handle, text);
    if (rotation !== 'none' && elapsed > (rotations + 1) * ROTATE_MS) {
      // What is removed while no agent runs, or was never opened by one, is beyond anyone's reach.
      if (rotation === 'recreate' && isAway) unreadable += written - fileBegan;
      handle = rotate(rotation, file, handle, ++rotations);
      fileBegan = written;
    }
    if (kill && !isKilled && elapsed > SECS * 333) {
      isKilled = isAway = true;
      await agent.kill();
      relaunch = systemClock.sleep(1000).then(() => {
        agent = launch();
        heard = sink.count();
      });
    }
    if (down && !isDown && elapsed > SECS * 400) {
      isDown = true;
      outage = sink.down(3000);
    }
  }
  closeSync(handle);
  await Promise.all([relaunch, outage]);
  await untilQuiet(sink, written);
  await agent.stop();
  const arrived = await judge(sink, written);
  await sink.stop();
  return { ...arrived, written, rotations, unreadable };
}

if (positionals[0] === 'serve') {
  if (values.logs === undefined) throw new Error('serve needs --logs: the folder that app.log will be written to');
  const data = values.data ?? join(tmpdir(), 'outrider-rotate-data');
  const forward = createForwarder(Number(values.port));
  const sink = await smallSink(({ chunks }) =>
    forward(chunks.flatMap(({ lines }) => lines.map((line) => `${line.text}\n`)).join('')),
  );
  await sink.prepare(data, values.logs);
  console.log(`ready; run the agent with: dist/outrider-agent run --quiet --data ${data}`);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-bench-rotate-'));
  const into = values.hub ? 'a real hub' : 'a small hub';
  for (const one of CASES.filter(({ name }) => values.only === undefined || name === values.only)) {
    const { written, lost, doubled, torn, rotations, unreadable } = await play(one, folder);
    console.log(
      `${one.name.padEnd(18)} ${RATE} lines/s into ${into}  ${written} written, ${rotations} rotations: ${lost} lost, ${torn} torn, ${doubled} doubled${unreadable > 0 ? ` (at most ${unreadable} were removed while no agent ran)` : ''}`,
    );
  }
  rmSync(folder, { recursive: true });
}
