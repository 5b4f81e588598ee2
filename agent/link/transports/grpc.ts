import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  AgentMessageSchema,
  HubMessageSchema,
  Link,
  type AgentMessage,
  type HubMessage,
} from '#proto/agent/v1/index.ts';
import { HUB_SERVER_NAME } from '#proto/enrolment.ts';
import type { Identity } from '../identity.ts';
import { tooLarge, type Transport, type Wire } from './transport.ts';

const serialize = (message: AgentMessage): Buffer => Buffer.from(toBinary(AgentMessageSchema, message));
const deserialize = (bytes: Buffer): HubMessage => fromBinary(HubMessageSchema, bytes);

/** Why a stream ended, in words for an operator; those of the transport are for its own developers. */
export function reasonFor({ details, message }: Pick<grpc.ServiceError, 'details' | 'message'>, link: string): string {
  const text = details === '' ? message : details;
  if (text.includes('Name resolution failed')) return `the name in ${link} cannot be resolved`;
  if (text.includes('Connection dropped') || text.includes('ECONNRESET')) return `${link} closed the connection`;
  const last = /No connection established(?:\. Last error: (?:Error: )?(.*?)\. Resolution note: .*)?$/s.exec(text);
  if (last === null) return text;
  const [, cause = ''] = last;
  if (cause.includes('ECONNREFUSED')) return `nobody listens at ${link}`;
  return cause === '' || cause === 'null' ? `${link} cannot be reached` : `${link} cannot be reached: ${cause}`;
}

/** Opens a stream. The hub is known by its authority and a fixed name, whatever address is dialled. */
function openWire(identity: Identity, received: (message: HubMessage) => void): Wire {
  const { link, ca, key, certificate } = identity;
  const credentials = grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate));
  grpc.setLogVerbosity(grpc.logVerbosity.NONE); // What matters ends the stream with a reason, and is said in our own words.
  const client = new grpc.Client(link, credentials, {
    'grpc.ssl_target_name_override': HUB_SERVER_NAME,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.enable_retries': 0,
    // The link waits by itself, with jitter.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  const stream = client.makeBidiStreamRequest<AgentMessage, HubMessage>(
    `/${Link.typeName}/Connect`,
    serialize,
    deserialize,
  );
  const ended = new Promise<string>((resolve) => {
    stream.on('error', (error: grpc.ServiceError) => {
      const isTooLarge = error.code === grpc.status.RESOURCE_EXHAUSTED && error.details.includes('larger than max');
      if (isTooLarge) received(create(HubMessageSchema, { kind: { case: 'refusal', value: tooLarge(error.details) } }));
      resolve(reasonFor(error, link));
    });
    stream.on('end', () => resolve('the hub closed the stream'));
  });
  stream.on('data', received);
  void ended.then(() => client.close());
  return {
    send: (message) => stream.write(message),
    drained: () =>
      new Promise((resolve) => {
        stream.once('drain', resolve);
        void ended.then(() => resolve());
      }),
    ended,
    close() {
      stream.cancel();
      client.close();
    },
  };
}

/** One bidirectional gRPC stream over mutual TLS, to the address that the enrolment named. */
export const grpcTransport = (link: string): Transport => ({
  place: link,
  isShared: false,
  open: (identity, _kind, received) => openWire(identity, received),
});
