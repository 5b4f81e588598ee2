import { defineProblems } from '#sdk';

/** What enrolment and the agents' stream refuse. */
export const problems = defineProblems('ingest', {
  tokenForged: { status: 401, title: 'The join token is not one of this hub.' },
  tokenUsed: { status: 410, title: 'The join token has been used up.' },
  tokenExpired: { status: 410, title: 'The join token has expired.' },
  badKey: { status: 400, title: 'The public key must be an EC key on P-256.' },
  notFound: { status: 404, title: 'There is no such agent or token.' },
  revoked: { status: 403, title: 'This agent was revoked.' },
  unknownEncoding: { status: 415, title: 'This hub cannot unpack a batch of the agent.' },
  badFrame: { status: 400, title: 'A message of the agent cannot be read.' },
  tooLarge: { status: 413, title: 'A batch of the agent is too large.' },
  replaced: { status: 409, title: 'A newer connection of the same agent took over.' },
  newerProtocol: { status: 400, title: 'The agent speaks a newer protocol than this hub.' },
  notStored: { status: 503, title: 'The hub could not store a batch.', retryable: true },
  portTaken: { status: 500, title: 'The agents’ port is taken.' },
  unfitNats: { status: 500, title: 'The NATS server cannot serve agents.' },
  natsAway: { status: 503, title: 'NATS for agents cannot be used.', retryable: true },
  noGroup: { status: 404, title: 'There is no such group of agents.' },
  groupTaken: { status: 409, title: 'A group of this name exists.' },
  tooManyGroups: { status: 409, title: 'There are too many groups of agents.' },
  badSettings: { status: 400, title: 'These settings cannot be pushed.' },
  nothingToUndo: { status: 409, title: 'There is nothing to undo.' },
  cannotListen: { status: 500, title: 'The hub cannot listen for agents there.' },
});
