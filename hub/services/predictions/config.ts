import { Type, type Static } from 'typebox';

/** Settings of the predictions service. */
export const PredictionsConfig = Type.Object({
  days: Type.Number({ description: 'Days that anomaly events are kept.', default: 90, exclusiveMinimum: 0 }),
  lostHours: Type.Number({
    description: 'Hours without a word of its agent after which an event that is open counts as over.',
    default: 6,
    exclusiveMinimum: 0,
  }),
  training: Type.Object(
    {
      automatic: Type.Boolean({
        description: 'Make a model of each host by itself, once a day of it is known and then from time to time.',
        default: true,
      }),
      everyDays: Type.Number({
        description: 'Days between two models of a host that are made by themselves.',
        default: 7,
        minimum: 1,
        maximum: 365,
      }),
      days: Type.Number({
        description: 'Days of its past that a model learns from.',
        default: 7,
        minimum: 0.25,
        maximum: 14,
      }),
    },
    { additionalProperties: false, default: {} },
  ),
  sequences: Type.Object(
    {
      enabled: Type.Boolean({
        description: 'Whether kinds of log lines that come more or less often than usual are told of.',
        default: true,
      }),
      windowSeconds: Type.Integer({
        description:
          'Seconds over which the lines of a source are counted; what was learned of other lengths is dropped.',
        default: 300,
        minimum: 60,
        maximum: 3600,
      }),
      warmUpHours: Type.Number({
        description: 'Hours for which a source is only learned; it takes 100 windows at least.',
        default: 24,
        minimum: 1,
        maximum: 720,
      }),
    },
    { additionalProperties: false, default: {} },
  ),
});
export type PredictionsConfig = Static<typeof PredictionsConfig>;
