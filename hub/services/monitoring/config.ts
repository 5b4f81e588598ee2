import { Type, type Static } from 'typebox';

/** How long samples are kept. */
export const Retained = Type.Object({
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
export type Retained = Static<typeof Retained>;

/** Settings of the monitoring service: how long samples are kept until a person chooses otherwise on the page, and when guests leave. */
export const MonitoringConfig = Type.Object({
  ...Retained.properties,
  guestDays: Type.Number({
    description: 'Days of silence after which a host that comes and goes is removed with its samples and lines.',
    default: 14,
    exclusiveMinimum: 0,
  }),
});
export type MonitoringConfig = Static<typeof MonitoringConfig>;
