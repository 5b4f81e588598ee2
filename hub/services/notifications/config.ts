import { Type, type Static } from 'typebox';

/** Settings of the notifications service. */
export const NotificationsConfig = Type.Object({
  retryHours: Type.Integer({
    description: 'Hours for which a message that could not be sent is tried again.',
    default: 24,
    minimum: 1,
    maximum: 168,
  }),
  historyDays: Type.Integer({
    description: 'Days for which the history of messages is kept.',
    default: 90,
    minimum: 1,
    maximum: 3650,
  }),
});
export type NotificationsConfig = Static<typeof NotificationsConfig>;
