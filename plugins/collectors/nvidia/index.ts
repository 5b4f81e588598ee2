import { Type } from 'typebox';
import { defineCollector, type Attributes, type Emit } from '#sdk';
import type { MetricName } from '#proto/metrics.ts';
import { findProgram, runProgram } from '../programs/index.ts';
import { parseGpus, QUERY, type Gpu } from './query.ts';

const TIMEOUT_MS = 20_000;
const MOST_BYTES = 262_144;
const MEBIBYTE = 1_048_576;
const MEGAHERTZ = 1e6;

type Values = readonly (readonly [MetricName, number | undefined, Attributes])[];

function valuesOf(gpu: Gpu): Values {
  const plain: Attributes = { 'hw.id': gpu.uuid, 'hw.type': 'gpu', 'hw.name': gpu.name };
  const scaled = (field: Parameters<Gpu['value']>[0], by: number): number | undefined => {
    const value = gpu.value(field);
    return value === undefined ? undefined : value * by;
  };
  const used = scaled('memory.used', MEBIBYTE);
  const limit = scaled('memory.total', MEBIBYTE);
  const filled = used === undefined || limit === undefined || limit === 0 ? undefined : used / limit;
  return [
    ['hw.gpu.utilization', scaled('utilization.gpu', 0.01), { ...plain, 'hw.gpu.task': 'general' }],
    ['hw.gpu.utilization', scaled('utilization.encoder', 0.01), { ...plain, 'hw.gpu.task': 'encoder' }],
    ['hw.gpu.utilization', scaled('utilization.decoder', 0.01), { ...plain, 'hw.gpu.task': 'decoder' }],
    ['hw.gpu.memory.usage', used, plain],
    ['hw.gpu.memory.limit', limit, plain],
    ['hw.gpu.memory.utilization', filled, plain],
    ['hw.temperature', gpu.value('temperature.gpu'), plain],
    ['hw.power', gpu.value('power.draw'), plain],
    ['hw.gpu.power.limit', gpu.value('power.limit'), plain],
    ['hw.fan.speed_ratio', scaled('fan.speed', 0.01), plain],
    ['hw.gpu.clock.frequency', scaled('clocks.gr', MEGAHERTZ), { ...plain, 'hw.gpu.clock': 'graphics' }],
    ['hw.gpu.clock.frequency', scaled('clocks.mem', MEGAHERTZ), { ...plain, 'hw.gpu.clock': 'memory' }],
    ['hw.errors', gpu.value('ecc.errors.corrected.volatile.total'), { ...plain, 'error.type': 'corrected' }],
    ['hw.errors', gpu.value('ecc.errors.uncorrected.volatile.total'), { ...plain, 'error.type': 'uncorrected' }],
  ];
}

function emitGpu(emit: Emit, gpu: Gpu): void {
  for (const [name, value, attributes] of valuesOf(gpu)) if (value !== undefined) emit(name, value, attributes);
}

/** Work, memory and heat of NVIDIA's GPUs. */
export const nvidia = defineCollector({
  name: 'nvidia',
  summary:
    'Reads work, memory, heat and errors of NVIDIA GPUs, with nvidia-smi. Without that program it tells nothing.',
  platforms: ['linux'],
  intervalSeconds: 30,
  config: Type.Object({}, { additionalProperties: false }),
  lacks: (_config, root) => (findProgram(root, 'nvidia-smi') === undefined ? 'nvidia-smi is not installed' : undefined),
  create({ root, clock }) {
    return {
      async collect(emit, signal) {
        const program = findProgram(root, 'nvidia-smi');
        if (program === undefined) return;
        const { output, code, complaint } = await runProgram({
          command: [program, QUERY, '--format=csv,noheader,nounits'],
          timeoutMs: TIMEOUT_MS,
          mostBytes: MOST_BYTES,
          signal,
          clock,
        });
        // It tells its faults on standard output.
        if (code !== 0)
          throw new Error(`nvidia-smi ended with ${code ?? 'a signal'}: ${output.trim().slice(0, 200) || complaint}`);
        for (const gpu of parseGpus(output)) emitGpu(emit, gpu);
      },
    };
  },
});
