import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile, type Attributes, type Emit } from '#sdk';
import { CPU_MODES, parseStat, sharesBetween, type CpuShares, type CpuTicks } from './stat.ts';

interface CpuAttributes {
  whole: Attributes | undefined;
  modes: readonly Attributes[];
}

function attributesOf(name: string): CpuAttributes {
  const number = name.slice('cpu'.length);
  const whole = number === '' ? undefined : { 'cpu.logical_number': number };
  return { whole, modes: CPU_MODES.map((mode) => ({ ...whole, 'cpu.mode': mode })) };
}

function emitShares(emit: Emit, shares: CpuShares, attributes: CpuAttributes, modes: boolean): void {
  emit('system.cpu.busy', shares.busy, attributes.whole);
  if (!modes) return;
  shares.modes.forEach((share, i) => emit('system.cpu.utilization', share, attributes.modes[i]));
}

/** Use of the processors from /proc/stat. */
export const cpu = defineCollector({
  name: 'cpu',
  summary: 'Reads how the processors, together and each, spent the time since the last run, from /proc/stat.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object(
    {
      perCore: Type.Enum(['none', 'busy', 'modes'], {
        default: 'modes',
        description: 'What to tell of each core beside the whole machine: nothing, how busy it is, or every mode.',
      }),
    },
    { additionalProperties: false },
  ),
  create({ config, root }) {
    const read = textFile(join(root, 'proc/stat'));
    const attributes = new Map<string, CpuAttributes>();
    let before: ReadonlyMap<string, CpuTicks> = new Map();
    return {
      collect(emit) {
        const after = parseStat(read() ?? '');
        if (!after.has('cpu')) throw new Error('/proc/stat tells nothing about processors');
        emit('system.cpu.logical.count', after.size - 1);
        for (const [name, ticks] of after) {
          const isCore = name !== 'cpu';
          const last = before.get(name);
          if (last === undefined || (isCore && config.perCore === 'none')) continue;
          const known = attributes.get(name) ?? attributesOf(name);
          attributes.set(name, known);
          const shares = sharesBetween(last, ticks);
          if (shares !== undefined) emitShares(emit, shares, known, !isCore || config.perCore === 'modes');
        }
        before = after;
      },
    };
  },
});
