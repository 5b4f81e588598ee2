import { Type, type Static } from 'typebox';

/** Settings of the users service. */
export const UsersConfig = Type.Object({
  accessMinutes: Type.Integer({
    description: 'Minutes that an access token is valid.',
    default: 5,
    minimum: 1,
    maximum: 60,
  }),
  sessionDays: Type.Integer({
    description: 'Days after which a session that nobody used ends.',
    default: 30,
    minimum: 1,
    maximum: 365,
  }),
});
export type UsersConfig = Static<typeof UsersConfig>;
