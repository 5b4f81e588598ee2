import { Type, type Static } from 'typebox';

/** Settings of the logs service. */
export const LogsConfig = Type.Object({
  days: Type.Number({ description: 'Days that log lines are kept.', default: 14, exclusiveMinimum: 0 }),
  diskGb: Type.Number({
    description: 'Gigabytes of log lines over which the oldest go first.',
    default: 20,
    exclusiveMinimum: 0,
  }),
});
export type LogsConfig = Static<typeof LogsConfig>;
