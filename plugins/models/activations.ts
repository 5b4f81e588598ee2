/** Changes `values[from..to)` in place. */
export type Activation = (values: Float64Array, from: number, to: number) => void;

const each =
  (change: (value: number) => number): Activation =>
  (values, from, to) => {
    for (let i = from; i < to; i++) values[i] = change(values[i]!);
  };

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));
/** Abramowitz and Stegun 7.1.26, as TF.js computes it too: |error| ≤ 1.5e-7. */
function erf(x: number): number {
  const a = Math.abs(x);
  const t = 1 / (1 + 0.3275911 * a);
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - sum * Math.exp(-a * a));
}

/** Softmax over the whole stretch. */
export const softmax: Activation = (values, from, to) => {
  let most = -Infinity;
  for (let i = from; i < to; i++) most = Math.max(most, values[i]!);
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i] = Math.exp(values[i]! - most);
  for (let i = from; i < to; i++) values[i] = values[i]! / sum;
};

const logSoftmax: Activation = (values, from, to) => {
  let most = -Infinity;
  for (let i = from; i < to; i++) most = Math.max(most, values[i]!);
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.exp(values[i]! - most);
  const whole = most + Math.log(sum);
  for (let i = from; i < to; i++) values[i] = values[i]! - whole;
};

export const leaky = (slope: number): Activation => each((x) => (x < 0 ? slope * x : x));
export const thresholded = (from: number): Activation => each((x) => (x > from ? x : 0));
export const elu = (alpha: number): Activation => each((x) => (x < 0 ? alpha * Math.expm1(x) : x));
export const reluBelow = (most: number): Activation => each((x) => (x < 0 ? 0 : x > most ? most : x));

/** The activations of TF.js by their names; undefined stands for leaving values as they are. */
export const ACTIVATIONS: ReadonlyMap<string, Activation | undefined> = new Map<string, Activation | undefined>([
  ['linear', undefined],
  ['relu', each((x) => (x > 0 ? x : 0))],
  ['relu6', reluBelow(6)],
  ['elu', elu(1)],
  ['selu', each((x) => SELU_SCALE * (x < 0 ? SELU_ALPHA * Math.expm1(x) : x))],
  ['sigmoid', each(sigmoid)],
  ['hardSigmoid', each((x) => Math.max(0, Math.min(1, 0.2 * x + 0.5)))],
  ['softplus', each(softplus)],
  ['softsign', each((x) => x / (1 + Math.abs(x)))],
  ['tanh', each(Math.tanh)],
  ['softmax', softmax],
  ['logSoftmax', logSoftmax],
  ['swish', each((x) => x * sigmoid(x))],
  ['mish', each((x) => x * Math.tanh(softplus(x)))],
  ['gelu', each((x) => 0.5 * x * (1 + erf(x / Math.SQRT2)))],
  ['gelu_new', each((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))))],
]);

/** The name that an activation has in a layer's config: TF.js writes `hard_sigmoid` and `hardSigmoid`. */
export const activationName = (name: string): string =>
  name === 'gelu_new' ? name : name.replace(/_([a-z])/g, (_all, c: string) => c.toUpperCase());
