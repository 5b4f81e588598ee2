import type { Series } from '../../agent/table.ts';
import { tableOf } from '../../agent/table.ts';
import type { MetricBlock } from '../../agent/schedule.ts';
import { sealHostModel, type HostModel } from '../../plugins/models/host-model.ts';
import { learnLinearModel } from '../../plugins/models/linear.ts';
import { createRandom } from '../../plugins/models/random.ts';
import { packWeights } from '../../plugins/models/weights.ts';

/** A host whose series follow a few loads; the same one each time. */
export interface MovingHost {
  series: readonly Series[];
  /** What a window from `timeMs` on is like. `broken`: each series as usual, but every second one against its load. */
  block(timeMs: number, broken?: boolean): MetricBlock;
}

/** Makes one of so many gauges. */
export function createMovingHost(width = 16): MovingHost {
  const chance = createRandom(7);
  /** From −1 to 1. */
  const random = (): number => 2 * chance() - 1;
  const loads = [0, 0, 0, 0];
  const series = Array.from({ length: width }, (_, n): Series => ({ name: `system.part${n % 4}.load`, kind: 'gauge', attributes: { place: String(n) } })); // prettier-ignore
  const table = tableOf(series);
  return {
    series,
    block(timeMs, broken = false) {
      for (let k = 0; k < loads.length; k++) loads[k] = 0.8 * loads[k]! + random();
      const values = series.map((_, n) => {
        const sign = broken && n % 8 >= 4 ? -1 : 1;
        return 50 + 10 * sign * loads[n % loads.length]! + 0.5 * random();
      });
      return { collector: 'moving', timeMs, table, values: Float64Array.from(values) };
    },
  };
}

/** A model of what such a host usually is. */
export async function learnMovingHost(version: string, { width = 16, rows = 2000 } = {}): Promise<HostModel> {
  const host = createMovingHost(width);
  const past = Array.from({ length: rows }, (_, n) => ({ timeMs: n * 10_000, values: host.block(0).values }));
  const series = host.series.map(({ name, attributes, kind }) => ({ metric: name, attributes, kind }));
  const source = async function* () {
    for (const row of past) yield await Promise.resolve(row);
  };
  return learnLinearModel({ series, rows: source, version, createdMs: 1_790_000_000_000 });
}

/** The same model with a layer that only TensorFlow runs: a convolution that changes nothing. */
export function withConvolution({ document }: HostModel): HostModel {
  const { digest: _digest, ...rest } = document;
  const width = document.features.length;
  const layer = (class_name: string, config: Record<string, unknown>) => ({ class_name, config: { trainable: true, dtype: 'float32', ...config } }); // prettier-ignore
  const layers = [
    layer('Reshape', { name: 'apart', target_shape: [width, 1], batch_input_shape: [null, width] }),
    layer('Conv1D', { name: 'same', filters: 1, kernel_size: [1], strides: [1], padding: 'valid', activation: 'linear', use_bias: false }), // prettier-ignore
    layer('Flatten', { name: 'together' }),
  ];
  const topology = { ...document.topology, class_name: 'Sequential', config: { name: 'host', layers } };
  const weights = packWeights([{ name: 'same/kernel', shape: [1, 1, 1], values: Float32Array.of(1) }]);
  return sealHostModel({ ...rest, topology, ...weights, version: `${document.version}-convolution` });
}
