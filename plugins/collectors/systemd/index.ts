import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { defineCollector, type Attributes, type CollectorContext, type Emit } from '#sdk';
import { groupReader, readUnified, readUnifiedActivity, type ReadGroupFile } from '../control-groups/index.ts';
import { findProgram, runProgram } from '../programs/index.ts';
import { globPattern, parseUnits, PROPERTIES, type Unit } from './units.ts';

const TIMEOUT_MS = 20_000;
const MOST_BYTES = 8_388_608;

/** States that are told of every unit; others from when it was first seen in one. */
const ALWAYS = ['active', 'failed'];

const Config = Type.Object(
  {
    include: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      default: ['*.service'],
      minItems: 1,
      description: 'Patterns of systemd’s own kind; units whose name matches one are told.',
    }),
    exclude: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      default: ['user@*.service', 'systemd-fsck@*.service'],
      description: 'Patterns; units whose name matches one are left out.',
    }),
    most: Type.Integer({ default: 300, minimum: 1, maximum: 1000, description: 'Units that are told at most.' }),
    statesEvery: Type.Integer({
      default: 60,
      minimum: 30,
      maximum: 3600,
      description: 'Seconds between two questions to systemd for states and restarts; each starts a process.',
    }),
  },
  { additionalProperties: false },
);

type Context = CollectorContext<Static<typeof Config>>;

/** What is kept of a unit that is told. */
interface Watched {
  unit: Unit;
  plain: Attributes;
  /** Attributes by the states that are told of it. */
  states: Map<string, Attributes>;
  read: ReadGroupFile | undefined;
}

async function ask({ root, clock, config }: Context, signal: AbortSignal): Promise<Unit[]> {
  const program = findProgram(root, 'systemctl');
  if (program === undefined) throw new Error('systemctl is not installed');
  const { output, code, complaint } = await runProgram({
    command: [program, 'show', '--all', '--no-pager', `--property=${PROPERTIES.join(',')}`, '--', ...config.include],
    timeoutMs: TIMEOUT_MS,
    mostBytes: MOST_BYTES,
    signal,
    clock,
  });
  if (code !== 0) throw new Error(`systemctl ended with ${code ?? 'a signal'}: ${complaint}`);
  return parseUnits(output);
}

/** Units that are told: what is enabled, and what was ever seen in another state than `inactive`. */
function createWatch({ root, config }: Context) {
  const exclude = config.exclude.map(globPattern);
  let watched = new Map<string, Watched>();
  const watch = (unit: Unit): Watched => {
    const plain = { 'systemd.unit.name': unit.name };
    return { unit, plain, states: new Map(ALWAYS.map((state) => [state, withState(plain, state)])), read: undefined };
  };
  return {
    all: () => watched.values(),
    /** Takes what systemd told; gives the units that matched, told or not. */
    renew(units: readonly Unit[]): Unit[] {
      const isUnified = existsSync(join(root, 'sys/fs/cgroup/cgroup.controllers'));
      const matched = units.filter(({ name }) => !exclude.some((pattern) => pattern.test(name)));
      const present = new Map<string, Watched>();
      for (const unit of matched) {
        const known = watched.get(unit.name);
        if (known === undefined && unit.state === 'inactive' && !unit.isEnabled) continue;
        if (present.size >= config.most) break;
        const one = known ?? watch(unit);
        const { group } = unit;
        if (group !== one.unit.group || one.read === undefined)
          one.read =
            group === undefined || !isUnified ? undefined : groupReader(() => join(root, 'sys/fs/cgroup', group));
        one.unit = unit;
        if (!one.states.has(unit.state)) one.states.set(unit.state, withState(one.plain, unit.state));
        present.set(unit.name, one);
      }
      watched = present;
      return matched;
    },
  };
}

const withState = (plain: Attributes, state: string): Attributes => ({ ...plain, 'systemd.unit.active_state': state });

function emitStates(emit: Emit, matched: readonly Unit[], watched: Iterable<Watched>): void {
  const counts = new Map<string, number>(ALWAYS.map((state) => [state, 0]));
  for (const { state } of matched) counts.set(state, (counts.get(state) ?? 0) + 1);
  for (const [state, count] of counts) emit('systemd.unit.count', count, { 'systemd.unit.active_state': state });
  for (const { unit, plain, states } of watched) {
    for (const [state, attributes] of states) emit('systemd.unit.state', state === unit.state ? 1 : 0, attributes);
    if (unit.restarts !== undefined) emit('systemd.unit.restarts', unit.restarts, plain);
  }
}

/** What a unit uses: from its control group, or from what systemd told where there is no unified hierarchy. */
function emitUsage(emit: Emit, { unit, plain, read }: Watched, isFresh: boolean): void {
  const told = { cpuSeconds: unit.cpuSeconds, memory: unit.memory, threads: unit.tasks };
  const usage = read === undefined ? told : { ...readUnified(read), ...readUnifiedActivity(read) };
  if (read === undefined && !isFresh) return;
  if (usage.cpuSeconds !== undefined) emit('systemd.unit.cpu.time', usage.cpuSeconds, plain);
  if (usage.memory !== undefined) emit('systemd.unit.memory.usage', usage.memory, plain);
  if (usage.threads !== undefined) emit('systemd.unit.thread.count', usage.threads, plain);
}

/** States, restarts and use of systemd's units. */
export const systemd = defineCollector({
  name: 'systemd',
  summary:
    'Reads states and restarts of systemd’s units, with systemctl, and their processor time, memory and threads, from control groups. Without systemd it tells nothing.',
  platforms: ['linux'],
  intervalSeconds: 10,
  config: Config,
  lacks: (_config, root) =>
    existsSync(join(root, 'run/systemd/system')) ? undefined : 'systemd does not run this machine',
  create(context) {
    const { root, clock, config } = context;
    const units = createWatch(context);
    let askedAt = -Infinity;
    return {
      async collect(emit, signal) {
        if (!existsSync(join(root, 'run/systemd/system'))) return;
        const isFresh = clock.monotonic() - askedAt >= config.statesEvery * 1000 - 500;
        if (isFresh) {
          const asked = await ask(context, signal);
          askedAt = clock.monotonic();
          emitStates(emit, units.renew(asked), units.all());
        }
        for (const watched of units.all()) emitUsage(emit, watched, isFresh);
      },
    };
  },
});
