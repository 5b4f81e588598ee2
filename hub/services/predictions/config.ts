import { Type, type Static } from 'typebox';

/** Settings of the predictions service. */
export const PredictionsConfig = Type.Object({
  days: Type.Number({ description: 'Days that anomaly events are kept.', default: 90, exclusiveMinimum: 0 }),
  lostHours: Type.Number({
    description: 'Hours without a word of its agent after which an event that is open counts as over.',
    default: 6,
    exclusiveMinimum: 0,
  }),
});
export type PredictionsConfig = Static<typeof PredictionsConfig>;
