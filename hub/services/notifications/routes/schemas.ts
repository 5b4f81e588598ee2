import { SEVERITIES } from '#sdk';
import { Type, type TSchema } from 'typebox';
import { STATES, STATUSES, type ChannelSettings } from '../tables.ts';

/** A path that ends in an id. */
export const ById = Type.Object({ id: Type.String({ format: 'uuid' }) });

/** How a list is paged. */
export const paging = {
  limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000 }),
  offset: Type.Integer({ default: 0, minimum: 0 }),
};

/** A list's answer. */
export const listOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), total: Type.Integer(), limit: Type.Integer(), offset: Type.Integer() });

const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const TimeOrNull = orNull(Type.Integer({ description: 'Milliseconds since 1970.' }));

/** One value of a channel's settings. A list of types, not a union: a union would turn 587 into "587" before the channel's own schema is asked. */
const SettingValue = Type.Unsafe<ChannelSettings[string]>({
  // The answer's writer takes the first that fits, and takes an array for a text.
  type: ['array', 'string', 'number', 'boolean'],
  items: { type: 'string', maxLength: 2000 },
  maxLength: 10_000,
  maxItems: 100,
});
const Settings = Type.Record(Type.String({ maxLength: 100 }), SettingValue, {
  maxProperties: 50,
  description: 'As the kind’s schema wants them. A saved secret is ***; leave it out, or send *** back, to keep it.',
});
/** One line that neither begins nor ends with a blank. */
const Name = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[^\\s\\p{Cc}](?:[^\\p{Cc}\\u2028\\u2029]*[^\\s\\p{Cc}])?$',
  description: 'What people and rules call it.',
});
const Severity = Type.Enum([...SEVERITIES]);

const wish = {
  name: Name,
  settings: Settings,
  minSeverity: Type.Enum([...SEVERITIES], {
    default: 'info',
    description: 'It is told only what is that bad or worse.',
  }),
  enabled: Type.Boolean({ default: true, description: 'Whether it is told anything but tests.' }),
};

/** A new channel. */
export const ChannelBody = Type.Object(
  { kind: Type.String({ minLength: 1, maxLength: 50, description: 'One of the kinds of channels.' }), ...wish },
  { additionalProperties: false },
);

/** What a channel shall be; its kind stays. */
export const ChannelChange = Type.Object(wish, { additionalProperties: false });

/** A channel, as it is answered. */
export const ChannelReply = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  name: Name,
  formerNames: Type.Array(Type.String(), { description: 'Rules that name one of these still reach it.' }),
  settings: Type.Optional(
    Type.Record(Type.String(), SettingValue, { description: 'For administrators alone; saved secrets are ***.' }),
  ),
  minSeverity: Severity,
  enabled: Type.Boolean(),
  waiting: Type.Integer({ description: 'Pieces of news that are still to be sent.' }),
  lastSentMs: TimeOrNull,
  lastFailedMs: TimeOrNull,
  createdMs: Type.Integer(),
  updatedMs: Type.Integer(),
});

const limits = {
  minLength: Type.Optional(Type.Integer()),
  maxLength: Type.Optional(Type.Integer()),
  pattern: Type.Optional(Type.String()),
};
/** One field of a kind's settings: the part of JSON Schema that channels use. */
const Field = Type.Object({
  type: Type.Enum(['string', 'integer', 'number', 'boolean', 'array']),
  description: Type.String(),
  secret: Type.Optional(Type.Boolean({ description: 'Never shown again once saved.' })),
  enum: Type.Optional(Type.Array(Type.String())),
  default: Type.Optional(SettingValue),
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  ...limits,
  items: Type.Optional(Type.Object({ type: Type.Literal('string'), ...limits })),
  minItems: Type.Optional(Type.Integer()),
  maxItems: Type.Optional(Type.Integer()),
});

/** A kind of channel, with what a form needs to ask for its settings. */
export const KindReply = Type.Object({
  name: Type.String(),
  summary: Type.String(),
  spacingSeconds: Type.Integer({
    description:
      'Least time between two messages about one host; what comes meanwhile is gathered. 0: each goes at once.',
  }),
  destination: Type.Array(Type.String(), {
    description: 'Settings that say where messages go: when one changes, saved secrets must be given again.',
  }),
  settings: Type.Object({
    type: Type.Literal('object'),
    required: Type.Array(Type.String(), { description: 'What has no default.' }),
    properties: Type.Record(Type.String(), Field, { description: 'In the order in which a form asks.' }),
  }),
});

/** One piece of news for one channel, as it is answered. */
export const DeliveryReply = Type.Object({
  id: Type.String(),
  channel: orNull(
    Type.String({ description: 'Null when the rule names a channel that does not exist, or there was none.' }),
  ),
  channelName: Type.String(),
  firing: Type.String({ description: 'The alert; the same for its end.' }),
  resource: Type.String(),
  resourceName: Type.String(),
  state: Type.Enum([...STATES]),
  severity: Severity,
  title: Type.String(),
  status: Type.Enum([...STATUSES], { description: 'skipped: there was nobody to tell, or no need to.' }),
  attempts: Type.Integer(),
  reason: Type.String({ description: 'Why it was not sent, or not yet; empty when there is nothing to say.' }),
  message: orNull(Type.String({ description: 'What was sent together has the same key.' })),
  createdMs: Type.Integer(),
  nextMs: TimeOrNull,
  finishedMs: TimeOrNull,
});

/** Which deliveries to list. */
export const DeliveryQuery = Type.Object(
  {
    ...paging,
    channel: Type.Optional(Type.String({ format: 'uuid' })),
    status: Type.Optional(Type.Enum([...STATUSES])),
    firing: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{Cc}]+$' })),
    resource: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{Cc}]+$' })),
  },
  { additionalProperties: false },
);

/** What happened, in one sentence. */
export const Sentence = Type.Object({ detail: Type.String() });
