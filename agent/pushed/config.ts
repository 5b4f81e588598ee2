import { Type, type Static } from 'typebox';

/** What may be taken from the hub, and how it is tried out. */
export const PushedConfig = Type.Object(
  {
    accept: Type.Boolean({
      description:
        'Take settings that the hub pushes: levels, intervals and rules for lines. They are stronger than the file and weaker than the environment; a program, a path, an output or a privilege is never among them.',
      default: true,
    }),
    trialSeconds: Type.Integer({
      description:
        'Seconds after which pushed settings are kept for good if the agent is well with them; else those before them come back.',
      default: 60,
      minimum: 30,
      maximum: 3600,
    }),
  },
  { additionalProperties: false, default: {} },
);
export type PushedSettings = Static<typeof PushedConfig>;
