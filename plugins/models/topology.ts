import { problems } from './errors.ts';

/** One layer of a model, in the order of running. */
export interface Layer {
  className: string;
  name: string;
  config: Record<string, unknown>;
  /** Names of the layers whose outputs it takes. */
  inputs: string[];
}

/** A LayersModel read from its JSON. */
export interface Topology {
  layers: Layer[];
  /** How many numbers go in. */
  width: number;
  /** Name of the layer that gives the answer. */
  output: string;
}

const MOST_LAYERS = 100;
const MOST_CHARACTERS = 262_144;
/** Layers that one layer takes its values from. */
const MOST_INPUTS = 64;
/** No number in a model's description is larger, seeds aside, so that no layer is wider; those that join others are bounded where they are made. */
const LARGEST = 4096;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (!isObject(value)) throw problems.refused(`${what} of the model is not an object.`);
  return value;
}

function checkNumbers(value: unknown, key: string, depth: number): void {
  if (depth > 12) throw problems.refused('The model is nested too deeply.');
  if (typeof value === 'number' && key !== 'seed' && !(Math.abs(value) <= LARGEST))
    throw problems.refused(`The model has ${key} ${value}; ${LARGEST} is the most.`);
  if (typeof value === 'object' && value !== null)
    for (const [name, part] of Object.entries(value)) {
      if (name === '__proto__' || name === 'constructor') throw problems.refused('The model has a forbidden name.');
      checkNumbers(part, Array.isArray(value) ? key : name, depth + 1);
    }
}

/** The number of values of an input layer's shape, whose first place is the batch. */
function widthOf(config: Record<string, unknown>): number | undefined {
  const shape = config['batch_input_shape'] ?? config['batchInputShape'];
  if (!Array.isArray(shape) || shape.length < 2) return undefined;
  const sizes: unknown[] = shape.slice(1);
  if (!sizes.every((size): size is number => Number.isInteger(size) && (size as number) > 0)) return undefined;
  return sizes.reduce((product, size) => product * size, 1);
}

function layerOf(value: unknown): Omit<Layer, 'inputs'> {
  const whole = objectOf(value, 'A layer');
  const config = objectOf(whole['config'], 'The config of a layer');
  const { class_name: className } = whole;
  const name = whole['name'] ?? config['name'];
  if (typeof className !== 'string' || typeof name !== 'string' || name === '' || name.length > 200)
    throw problems.refused('A layer of the model has no class or no name.');
  return { className, name, config };
}

function inputsOf(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) return [];
  if (value.length > 1) throw problems.unsupported('A layer is used twice.');
  const [node] = value as unknown[];
  if (!Array.isArray(node)) throw problems.refused('A layer’s inputs are not a list.');
  if (node.length > MOST_INPUTS)
    throw problems.refused(`A layer has ${node.length} inputs; ${MOST_INPUTS} are the most.`);
  return node.map((from: unknown) => {
    const name: unknown = Array.isArray(from) ? from[0] : undefined;
    if (typeof name !== 'string') throw problems.refused('A layer’s input has no name.');
    return name;
  });
}

function functional(config: Record<string, unknown>, layers: unknown[]): Topology {
  const found = layers.map((value) => ({
    ...layerOf(value),
    inputs: inputsOf((value as Record<string, unknown>)['inbound_nodes']),
  }));
  const [input, output] = [config['input_layers'], config['output_layers']].map((value) => {
    const all = Array.isArray(value) ? (value as unknown[]) : [];
    const one: unknown = Array.isArray(all[0]) ? all[0][0] : undefined;
    if (all.length !== 1 || typeof one !== 'string')
      throw problems.refused('The model must have one input and one output.');
    return one;
  }) as [string, string];
  const seen = new Set<string>();
  const order: Layer[] = [];
  while (order.length < found.length) {
    const next = found.find(({ name, inputs }) => !seen.has(name) && inputs.every((from) => seen.has(from)));
    if (next === undefined) throw problems.refused('The layers of the model do not follow from one another.');
    seen.add(next.name);
    order.push(next);
  }
  const width = widthOf(found.find(({ name }) => name === input)?.config ?? {});
  if (width === undefined || !seen.has(output)) throw problems.refused('The model does not say how wide its input is.');
  if (order.some(({ inputs, name }) => inputs.length === 0 && name !== input))
    throw problems.refused('The model has a second input.');
  return { layers: order, width, output };
}

function sequential(layers: unknown[]): Topology {
  const found = layers.map(layerOf);
  const width = widthOf(found[0]?.config ?? {});
  if (width === undefined) throw problems.refused('The model does not say how wide its input is.');
  const names = ['', ...found.map(({ name }) => name)];
  const order = found.map((layer, n) => ({ ...layer, inputs: n === 0 ? [] : [names[n]!] }));
  return { layers: order, width, output: names.at(-1)! };
}

/**
 * Reads the JSON of a TF.js LayersModel. Refuses what is no such thing, what is too large, and numbers that would make it large; says
 * nothing yet of whether its layers can be run here.
 */
export function readTopology(json: unknown): Topology {
  const whole = objectOf(json, 'The topology');
  if (JSON.stringify(whole).length > MOST_CHARACTERS) throw problems.refused('The model’s description is too long.');
  checkNumbers(whole, 'topology', 0);
  const model = isObject(whole['model_config']) ? whole['model_config'] : whole;
  const { class_name: kind } = model;
  const config: unknown = model['config'];
  const layers: unknown = Array.isArray(config) ? config : isObject(config) ? config['layers'] : undefined;
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > MOST_LAYERS)
    throw problems.refused(`The model must have 1 to ${MOST_LAYERS} layers.`);
  const read = kind === 'Sequential' ? sequential(layers) : functional(objectOf(config, 'The config'), layers);
  const names = new Set(read.layers.map(({ name }) => name));
  if (names.size !== read.layers.length) throw problems.refused('Two layers of the model have the same name.');
  return read;
}
