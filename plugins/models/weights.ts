import type { Weight } from './executor.ts';
import { problems } from './errors.ts';

/** A weight without its numbers. */
export interface WeightShape {
  name: string;
  shape: number[];
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** All weights as little-endian 32-bit floats, one after another, in base64. */
export function packWeights(weights: readonly Weight[]): { weights: WeightShape[]; data: string } {
  const bytes = Buffer.alloc(4 * weights.reduce((sum, { values }) => sum + values.length, 0));
  let at = 0;
  for (const { values } of weights) for (const value of values) at = bytes.writeFloatLE(value, at);
  return { weights: weights.map(({ name, shape }) => ({ name, shape: [...shape] })), data: bytes.toString('base64') };
}

/** Gives the weights back. Refuses data that is longer or shorter than their shapes, and numbers that are not finite. */
export function unpackWeights(shapes: readonly WeightShape[], data: string): Weight[] {
  const bytes = Buffer.from(data, 'base64');
  const whole = shapes.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (bytes.length !== 4 * whole)
    throw problems.refused(`The model has ${bytes.length} bytes of weights; their shapes say ${4 * whole}.`);
  const names = new Set<string>();
  let at = 0;
  return shapes.map(({ name, shape }) => {
    if (names.has(name)) throw problems.refused(`The model has the weight ${name} twice.`);
    names.add(name);
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++, at += 4) {
      const value = bytes.readFloatLE(at);
      if (!Number.isFinite(value)) throw problems.refused(`The weight ${name} holds a number that is not finite.`);
      values[i] = value;
    }
    return { name, shape, values };
  });
}
