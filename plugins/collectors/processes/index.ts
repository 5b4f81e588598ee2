import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pid as ownPid } from 'node:process';
import { Type } from 'typebox';
import { countIn, defineCollector, OWN_PROGRAM, textFile, type Attributes, type Emit } from '#sdk';
import { createEach, type Each } from './each.ts';
import { createCounter, type Census, type Group } from './groups.ts';
import { createIdentify } from './identity.ts';
import { parseAuxv, type PidStat } from './pid-stat.ts';
import { createScan } from './scan.ts';
import { createTopList } from './top-list.ts';

const STATES: Readonly<Record<string, string>> = {
  R: 'running', S: 'sleeping', D: 'blocked', Z: 'defunct', T: 'stopped', t: 'stopped', I: 'idle',
}; // prettier-ignore

const STATE_ATTRIBUTES = [...new Set([...Object.values(STATES), 'other'])].map((state) => ({ 'process.state': state }));

function unitsOf(root: string): { pageSize: number; ticksPerSecond: number } {
  try {
    return parseAuxv(readFileSync(join(root, 'proc/self/auxv')));
  } catch {
    return parseAuxv(new Uint8Array()); // Not every sandbox shows it; the usual units are right on most machines.
  }
}

function emitStates(emit: Emit, states: Census['states']): void {
  const counts = new Map<string, number>();
  for (const [letter, count] of states) {
    const state = STATES[letter] ?? 'other';
    counts.set(state, (counts.get(state) ?? 0) + count);
  }
  for (const attributes of STATE_ATTRIBUTES) {
    emit('system.process.count', counts.get(attributes['process.state']) ?? 0, attributes);
  }
}

/** Gives the agent and the helpers that it starts one name: theirs tell of the runtime, or of anybody's program. In the `/proc` of another root its number is someone else. */
function createNaming(root: string): (pid: number, stat: PidStat) => PidStat {
  const own = root === '/' ? ownPid : NaN;
  return (pid, stat) => (pid === own || stat.parent === own ? { ...stat, name: OWN_PROGRAM } : stat);
}

type Units = ReturnType<typeof unitsOf>;

function createTopEmitter(
  { pageSize, ticksPerSecond }: Units,
  size: number,
): (emit: Emit, groups: Census['groups'], ms: number) => void {
  const top = createTopList(size);
  let attributes = new Map<string, Attributes>();
  return (emit, groups, elapsedMs) => {
    const present = new Map<string, Attributes>();
    const cores = (group: Group): number => group.ticks / ticksPerSecond / (elapsedMs / 1000);
    for (const group of top(groups)) {
      const known = attributes.get(group.name) ?? { 'process.executable.name': group.name };
      present.set(group.name, known);
      if (elapsedMs > 0) emit('process.cpu.utilization', cores(group), known);
      emit('process.memory.usage', group.residentPages * pageSize, known);
    }
    attributes = present;
  };
}

/** Processes by state, and the executables that use most. */
export const processes = defineCollector({
  name: 'processes',
  summary:
    'Counts processes by state and adds up processor time and memory by executable, from /proc/PID/stat; on demand it tells each process.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object(
    {
      top: Type.Integer({
        default: 10,
        minimum: 0,
        maximum: 100,
        description: 'How many executables to list by processor time, and how many by memory.',
      }),
      each: Type.Boolean({
        default: false,
        description:
          'Whether each process has series of its own, with its number, owner, control group and command line, from which secrets are removed. Executables then add up only what has none.',
      }),
      most: Type.Integer({
        default: 500,
        minimum: 1,
        maximum: 1500,
        description: 'Processes that have series of their own at most, with `each`.',
      }),
    },
    { additionalProperties: false },
  ),
  create({ config, root, clock, redact }) {
    const folder = join(root, 'proc');
    const readStat = textFile(join(folder, 'stat'));
    const scan = createScan(folder);
    const counter = createCounter();
    const named = createNaming(root);
    let parts: { emitTop: ReturnType<typeof createTopEmitter>; each: Each | undefined } | undefined;
    const makeParts = (): NonNullable<typeof parts> => {
      const units = unitsOf(root);
      const identify = createIdentify(root, redact);
      const each = config.each ? createEach({ folder, most: config.most, identify, ...units }) : undefined;
      return { emitTop: createTopEmitter(units, config.top), each };
    };
    let last: number | undefined;
    return {
      collect(emit) {
        const now = clock.monotonic();
        const { emitTop, each } = (parts ??= makeParts());
        // Before the scan: what is made during it is looked for in the next one.
        const created = countIn(/^processes (\d+)$/m.exec(readStat() ?? '')?.[1]);
        scan.run(created, (pid, stat) =>
          counter.add(pid, named(pid, stat), each && ((ticks) => each.add(pid, stat, ticks))),
        );
        const { groups, states } = counter.finish();
        const elapsedMs = last === undefined ? 0 : now - last;
        last = now;
        emitStates(emit, states);
        if (Number.isFinite(created)) emit('system.process.created', created);
        emitTop(emit, groups, elapsedMs);
        each?.emit(emit, elapsedMs);
      },
      stop: () => scan.close(),
    };
  },
});
