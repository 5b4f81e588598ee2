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

/** What a sign-in, a refresh and a change of password answer. */
export const SignedInReply = Type.Object({
  accessToken: Type.String({ description: 'Send it as "Authorization: Bearer …".' }),
  expiresIn: Type.Integer({ description: 'Seconds.' }),
  user: Me,
});

/** A name to sign in with. Without an @, so that nobody's name is another one's e-mail address. */
export const Username = Type.String({ minLength: 2, maxLength: 64, pattern: '^[\\w.+-]+$' });

/** An e-mail address: something on both sides of an @. */
export const Email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: '^[^\\s@\\u0000-\\u001f]+@[^\\s@\\u0000-\\u001f]+$',
});

/** A password as it comes; what makes a good one is not the schema's business. */
export const Password = Type.String({ minLength: 1, maxLength: 256 });

/** A line of text of a person's choice, without control characters. */
export const Line = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f]+$' });

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

/** The answer of a call that has nothing to say. */
export const Done = { 204: Type.Null({ description: 'Done.' }) };
