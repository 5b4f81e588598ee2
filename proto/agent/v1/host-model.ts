import { Type, type Static } from 'typebox';

/** A document is no longer than this, in characters. */
export const HOST_MODEL_LIMIT = 524_288;

/** A model looks at this many series at most. */
export const MOST_FEATURES = 256;

const Finite = (description: string) => Type.Number({ minimum: -1e30, maximum: 1e30, description });
const Positive = (description: string) => Type.Number({ exclusiveMinimum: 0, maximum: 1e30, description });
const Time = (description: string) => Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000, description });
const closed = { additionalProperties: false } as const;

/** One series that a model looks at, and what is usual for it. */
export const HostFeature = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 200, description: 'Name of the metric.' }),
    attributes: Type.Unsafe<Record<string, string>>({
      ...Type.Record(Type.String({ minLength: 1, maxLength: 200 }), Type.String({ maxLength: 1000 })),
      maxProperties: 32,
      description: 'Attributes of the series.',
    }),
    kind: Type.Enum(['gauge', 'counter'], { description: 'A counter is looked at as a rate per second.' }),
    mean: Finite('Mean of its values.'),
    scale: Positive('Their standard deviation; for a series that hardly moves, what counts as a move.'),
    step: Positive('Standard deviation of its change from one row to the next.'),
    drift: Positive('Standard deviation of its distance to the mean of the last few rows.'),
    moves: Type.Boolean({ description: 'False: it never moved, so that nobody knows what a large move is.' }),
  },
  closed,
);
export type HostFeature = Static<typeof HostFeature>;

const Tail = Type.Object(
  {
    median: Finite('Half of the scores are above it.'),
    high: Finite('Two in a hundred are above it.'),
    excess: Positive('Mean of what those are above it.'),
  },
  closed,
);

/** A model of a host's usual state, immutable: what the hub trains and an agent judges by. */
export const HostModelDocument = Type.Object(
  {
    format: Type.Literal(1),
    version: Type.String({ pattern: '^[\\w.:-]{1,80}$', description: 'Its name; a new model has a new one.' }),
    architecture: Type.Enum(['autoencoder', 'linear'], { description: 'How it was made.' }),
    createdMs: Time('When it was trained, in milliseconds since 1970.'),
    window: Type.Object(
      {
        fromMs: Time('Time of the first row.'),
        toMs: Time('Time of the last row.'),
        rows: Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'How many rows.' }),
      },
      { ...closed, description: 'The data that it was trained on.' },
    ),
    seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'What its first weights were drawn from.' }),
    features: Type.Array(HostFeature, { minItems: 1, maxItems: MOST_FEATURES }),
    topology: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      description: 'A TF.js LayersModel as `toJSON` gives it: normalised features in, the same expected out.',
    }),
    weights: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 200 }),
          shape: Type.Array(Type.Integer({ minimum: 1, maximum: 65_536 }), { maxItems: 4 }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 200, description: 'The weights’ names and shapes, in the order of their data.' },
    ),
    data: Type.String({
      pattern: '^[A-Za-z0-9+/]*={0,2}$',
      description: 'All weights as little-endian 32-bit floats, in base64.',
    }),
    calibration: Type.Object(
      {
        step: Tail,
        drift: Tail,
        residual: Tail,
        level: Type.Object(
          { median: Finite('ln of the median.'), high: Finite('ln of what one in a thousand is above.') },
          closed,
        ),
        threshold: Positive('Surprise of a change that one row in a hundred was above, in nats.'),
      },
      { ...closed, description: 'What its scores were on the data that it was trained on.' },
    ),
    metrics: Type.Record(Type.String({ pattern: '^[a-z][\\w]{0,39}$' }), Type.Number(), {
      description: 'How well it does, by name.',
    }),
    digest: Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: 'SHA-256 of the document without this field, as JSON with sorted names.',
    }),
  },
  closed,
);
export type HostModelDocument = Static<typeof HostModelDocument>;
