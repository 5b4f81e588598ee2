import { defineProblems } from '#sdk';

/** What can be wrong with channels and messages. */
export const problems = defineProblems('notifications', {
  notFound: { status: 404, title: 'There is no such channel.' },
  unknownDelivery: { status: 404, title: 'There is no such delivery.' },
  unknownKind: { status: 400, title: 'There is no such kind of channel.' },
  invalidSettings: { status: 400, title: 'The settings of the channel are not valid.' },
  taken: { status: 409, title: 'Another channel has this name.' },
  tooMany: { status: 409, title: 'There are too many channels.' },
  ambiguous: { status: 409, title: 'Several organisations have a channel of this name.' },
  notFailed: { status: 409, title: 'Only a delivery that failed can be sent again.' },
  testFailed: { status: 502, title: 'The test message could not be sent.' },
  unusable: { status: 500, title: 'The channel cannot be used.' },
  timedOut: { status: 504, title: 'The channel took too long.', retryable: true },
  broken: { status: 500, title: 'The channel failed in a way that it should not.', retryable: true },
});
