import { Type, type Static } from 'typebox';

/** Settings of the monitoring service: how long samples are kept until a person chooses otherwise on the page. */
export const MonitoringConfig = Type.Object({
  rawDays: Type.Number({ description: 'Days that 1 s samples are kept.', default: 3, exclusiveMinimum: 0 }),
  tenSecondDays: Type.Number({ description: 'Days that 10 s values are kept.', default: 14, exclusiveMinimum: 0 }),
  minuteDays: Type.Number({ description: 'Days that 1 min values are kept.', default: 365, exclusiveMinimum: 0 }),
  hourDays: Type.Number({ description: 'Days that 1 h values are kept.', default: 1826, exclusiveMinimum: 0 }),
  diskGb: Type.Number({
    description: 'Gigabytes of samples over which the oldest fine ones go first.',
    default: 20,
    exclusiveMinimum: 0,
  }),
});
export type MonitoringConfig = Static<typeof MonitoringConfig>;
