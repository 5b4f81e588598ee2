import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { MOST_STEPS } from './counts.ts';
import { keyOf, type Kind, type Memory } from './kinds.ts';

const Count = Type.Integer({ minimum: 0, maximum: 1e15 });
const Place = Type.Integer({ minimum: 0, maximum: 65_535 });
const Step = Type.Integer({ minimum: 1, maximum: MOST_STEPS });

/** What a detector knows, as JSON. */
export const SequenceSnapshot = Type.Object(
  {
    version: Type.Literal(1),
    sequences: Count,
    length: Type.Optional(Type.Object({ least: Count, most: Count }, { additionalProperties: false })),
    /** Nats under which normal sequences lay when so many had been learned. */
    calibrated: Type.Optional(
      Type.Object(
        { sequences: Count, floor: Type.Number({ minimum: 0, maximum: 1e6 }) },
        { additionalProperties: false },
      ),
    ),
    /** A template, and how many sequences had it at each step from 1 on. */
    habits: Type.Array(Type.Tuple([Type.String({ maxLength: 256 }), Type.Array(Count, { maxItems: MOST_STEPS })]), {
      maxItems: 65_536,
    }),
    /** How many sequences were of a kind; then places of templates and steps in turn. */
    kinds: Type.Array(
      Type.Tuple([Count, Type.Array(Place, { maxItems: 65_536 }), Type.Array(Step, { maxItems: 65_536 })]),
      { maxItems: 65_536 },
    ),
  },
  { additionalProperties: false },
);
export type SequenceSnapshot = Static<typeof SequenceSnapshot>;

/** Lines of the shortest and the longest normal sequence. */
export interface Lengths {
  least: number;
  most: number;
}

/** Writes a memory down. */
export function snapshotOf(
  memory: Memory,
  length: Lengths | undefined,
  calibrated?: Static<typeof SequenceSnapshot>['calibrated'],
): SequenceSnapshot {
  return {
    version: 1,
    sequences: memory.sequences,
    ...(length === undefined ? {} : { length }),
    ...(calibrated === undefined ? {} : { calibrated: { sequences: calibrated.sequences, floor: calibrated.floor } }),
    habits: memory.habits.map(({ template, sequences }) => [template, sequences.slice(1)]),
    kinds: [...memory.kinds.values()].map(({ seen, templates, steps }) => [seen, [...templates], [...steps]]),
  };
}

// Looking the schema up at each number took ten times as long as all the rest of judging.
const hasForm = Compile(SequenceSnapshot);

/** True when an unknown value is a snapshot whose parts fit together. */
export function isSnapshot(value: unknown): value is SequenceSnapshot {
  if (!hasForm.Check(value)) return false;
  const { habits, kinds } = value;
  return (
    new Set(habits.map(([template]) => template)).size === habits.length &&
    kinds.every(
      ([, templates, steps]) =>
        templates.length === steps.length &&
        templates.every((number, place) => number < habits.length && number > (templates[place - 1] ?? -1)),
    )
  );
}

/** Reads a snapshot that `isSnapshot` has accepted. */
export function memoryOf({ sequences, length, habits, kinds }: SequenceSnapshot): {
  memory: Memory;
  lengths: Lengths | undefined;
} {
  const read = kinds.map(([seen, templates, steps]): Kind => ({ seen, templates, steps }));
  return {
    lengths: length,
    memory: {
      sequences,
      habits: habits.map(([template, counts]) => ({ template, sequences: [0, ...counts] })),
      numbers: new Map(habits.map(([template], number) => [template, number])),
      kinds: new Map(read.map((kind) => [keyOf(kind), kind])),
    },
  };
}
