import { Type, type TSchema } from 'typebox';

/** Labels of an agent. */
export const Labels = Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 }));

/** What a join token is to be good for. */
export const Wish = Type.Object(
  {
    uses: Type.Integer({ default: 1, minimum: 1, maximum: 100_000, description: 'How many agents may use it.' }),
    expiresInHours: Type.Number({
      default: 24,
      exclusiveMinimum: 0,
      maximum: 8760,
      description: 'How long it may be used.',
    }),
    labels: Type.Unsafe<Record<string, string>>({
      ...Labels,
      default: {},
      maxProperties: 50,
      description: 'Labels that its agents get.',
    }),
    ephemeral: Type.Boolean({
      default: false,
      description: 'Its agents come and go by design: their silence is no news.',
    }),
  },
  { additionalProperties: false },
);

/** A join token that was just made. */
export const CreatedToken = Type.Object({
  id: Type.String(),
  token: Type.String({ description: 'The text that `outrider-agent enroll` reads.' }),
  expiresMs: Type.Integer(),
});

/** How a list is paged. */
export const Paging = Type.Object(
  { limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000 }), offset: Type.Integer({ default: 0, minimum: 0 }) },
  { additionalProperties: false },
);

/** A path that ends in an id. */
export const ById = Type.Object({ id: Type.String({ format: 'uuid' }) });

/** A list's answer. */
export const listOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), total: Type.Integer(), limit: Type.Integer(), offset: Type.Integer() });

/** The answer of a call that only does something. */
export const Done = Type.Null({ description: 'Done.' });
