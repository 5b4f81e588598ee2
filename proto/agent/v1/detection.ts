import { Type, type Static } from 'typebox';

/** A document is no longer than this, in characters. */
export const DETECTION_LIMIT = 131_072;

/**
 * By how much people may move a threshold, in nats of surprise. An alert of a series needs 9 by itself, so one takes between 5 and 25; an event of a host 14, so between 10 and
 * 30: what people say makes a host quieter or more talkative, never deaf.
 */
export const LEAST_OFFSET = -4;
export const GREATEST_OFFSET = 16;

const Offset = (description: string) =>
  Type.Number({ minimum: LEAST_OFFSET, maximum: GREATEST_OFFSET, default: 0, description });

const SeriesOffset = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 1024, description: 'The name of the metric.' }),
    attributes: Type.Unsafe<Record<string, string>>({
      ...Type.Record(Type.String({ maxLength: 1024 }), Type.String({ maxLength: 1024 })),
      maxProperties: 32,
      default: {},
      description: 'All attributes of the series.',
    }),
    offset: Offset('Nats that the threshold of this series is higher; below 0: lower.'),
  },
  { additionalProperties: false },
);

/** How readily a host and its series speak: what people said of earlier events, as `Detection.document` carries it. Whatever is not named keeps its threshold. */
export const DetectionDocument = Type.Object(
  {
    offset: Offset('Nats that the threshold of the host as a whole is higher; below 0: lower.'),
    series: Type.Array(SeriesOffset, {
      maxItems: 200,
      default: [],
      description: 'Series whose threshold was moved.',
    }),
  },
  { additionalProperties: false },
);
export type DetectionDocument = Static<typeof DetectionDocument>;
