import { Type, type TSchema } from 'typebox';
import { ROLES } from '../../../principal.ts';

/** A role's name. */
export const RoleName = Type.Enum([...ROLES]);

/** The signed-in person. */
export const Me = Type.Object({
  id: Type.String(),
  org: Type.String(),
  username: Type.String(),
  email: Type.String(),
  role: RoleName,
});

/** A time in milliseconds since 1970, or null when it never was. */
export const TimeOrNull = Type.Union([Type.Integer(), Type.Null()]);

/** How a list is paged. */
export const Paging = Type.Object(
  { limit: Type.Integer({ default: 50, minimum: 1, maximum: 1000 }), offset: Type.Integer({ default: 0, minimum: 0 }) },
  { additionalProperties: false },
);

/** A list's answer. */
export const listOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), total: Type.Integer(), limit: Type.Integer(), offset: Type.Integer() });

/** A path that ends in an id. */
export const ById = Type.Object({ id: Type.String({ format: 'uuid' }) });
