import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { HOST_MODEL_LIMIT, MOST_FEATURES } from '#proto/agent/v1/host-model.ts';
import { problems } from '../errors.ts';

/** Most numbers of a training: a week of 10 s rows of 256 metrics is thinned before. */
export const MOST_VALUES = 16_777_216;

/** Longest answer, in characters. */
export const MOST_ANSWER = HOST_MODEL_LIMIT + 100_000;

/** The first line of what the program is given; the rows follow as little-endian doubles: the time in milliseconds, then the values. */
export const TrainingHead = Type.Object(
  {
    series: Type.Array(
      Type.Object({
        metric: Type.String({ minLength: 1, maxLength: 200 }),
        attributes: Type.Record(Type.String(), Type.String()),
        kind: Type.Enum(['gauge', 'counter']),
      }),
      { minItems: 1, maxItems: MOST_FEATURES },
    ),
    rows: Type.Integer({ minimum: 1, maximum: MOST_VALUES }),
    version: Type.String({ minLength: 1, maxLength: 80 }),
    createdMs: Type.Integer({ minimum: 0 }),
    seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
    epochs: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  },
  { additionalProperties: false },
);
export type TrainingHead = Static<typeof TrainingHead>;

/** One line of what the program says. */
const TrainingLine = Type.Union([
  Type.Object({ epoch: Type.Integer(), epochs: Type.Integer(), validation: Type.Number() }),
  Type.Object({ model: Type.String({ maxLength: HOST_MODEL_LIMIT }) }),
  Type.Object({ code: Type.String({ maxLength: 100 }), detail: Type.String({ maxLength: 2000 }) }),
]);
export type TrainingLine = Static<typeof TrainingLine>;

/** Reads one line; anything else is a failed training. */
export function parseLine(line: string): TrainingLine {
  try {
    const parsed: unknown = JSON.parse(line);
    if (Value.Check(TrainingLine, parsed)) return parsed;
  } catch (error) {
    throw problems.failed('The training said something that is not JSON.', { cause: error });
  }
  throw problems.failed('The training said something that is not understood.');
}

/** Reads all that the program was given. */
export function parseRequest(bytes: Buffer): { head: TrainingHead; numbers: Float64Array } {
  const end = bytes.indexOf(10);
  const parsed: unknown = JSON.parse(bytes.toString('utf8', 0, Math.max(0, end)));
  if (!Value.Check(TrainingHead, parsed)) throw problems.refused('The training’s first line is not understood.');
  const numbers = new Float64Array(parsed.rows * (parsed.series.length + 1));
  if (bytes.length - end - 1 !== numbers.byteLength)
    throw problems.refused(
      `The training was given ${bytes.length - end - 1} bytes of rows, not ${numbers.byteLength}.`,
    );
  new Uint8Array(numbers.buffer).set(bytes.subarray(end + 1));
  return { head: parsed, numbers };
}
