import { Type, type TSchema } from 'typebox';

/** How a list is paged. */
export const Paging = {
  limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000 }),
  offset: Type.Integer({ default: 0, minimum: 0 }),
};

/** A list's answer. */
export const listOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), total: Type.Integer(), limit: Type.Integer(), offset: Type.Integer() });

/** A path that ends in an id. */
export const ById = Type.Object({ id: Type.String({ format: 'uuid' }) });

/** The answer of a call that only does something. */
export const Done = Type.Null({ description: 'Done.' });

/** Labels of a resource. */
export const Labels = Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 }));

/** The few numbers that say how a host is. */
export const HeadlineReply = Type.Object({
  cpu: Type.Optional(Type.Number({ description: 'Share of all cores that is busy.' })),
  memory: Type.Optional(Type.Number({ description: 'Share of memory that is used.' })),
  disk: Type.Optional(Type.Number({ description: 'Share of the fullest file system that is used.' })),
  fullest: Type.Optional(Type.String({ description: 'Its mount point.' })),
  load: Type.Optional(Type.Number()),
  receive: Type.Optional(Type.Number({ description: 'Bytes a second.' })),
  transmit: Type.Optional(Type.Number({ description: 'Bytes a second.' })),
});

/** A resource as the web API shows it. */
export const ResourceReply = Type.Object({
  id: Type.String(),
  type: Type.String(),
  name: Type.String(),
  endpoint: Type.Union([Type.String(), Type.Null()]),
  config: Type.Record(Type.String(), Type.Unknown()),
  labels: Labels,
  inventory: Type.Record(Type.String(), Type.String()),
  version: Type.String(),
  ephemeral: Type.Boolean(),
  connected: Type.Boolean(),
  createdMs: Type.Integer(),
  lastSeenMs: Type.Union([Type.Integer(), Type.Null()]),
  headline: HeadlineReply,
});
