import { Type, type Static } from 'typebox';

/** What the agent may use of its machine. */
export const BudgetSettings = Type.Object(
  {
    cpu: Type.Number({
      description:
        'Cores that the agent may use, averaged over a minute. Beyond it files are read slowly, then collectors run less often; nothing is dropped.',
      default: 0.5,
      minimum: 0.01,
      maximum: 64,
    }),
    memory: Type.Integer({
      description:
        'Resident bytes. Beyond it batches are smaller, then samples are kept as averages of 10 s, then files are read slowly. The agent never ends for it.',
      default: 150_000_000,
      minimum: 60_000_000,
    }),
    series: Type.Integer({
      description: 'Series of all collectors together; values of further ones are left out and counted.',
      default: 20_000,
      minimum: 100,
      maximum: 200_000,
    }),
    seriesPerMetric: Type.Integer({
      description: 'Series of one metric of one collector; values of further ones are left out and counted.',
      default: 2000,
      minimum: 10,
      maximum: 10_000,
    }),
  },
  { additionalProperties: false, default: {} },
);
export type BudgetSettings = Static<typeof BudgetSettings>;
