import { fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  AgentMessageSchema,
  HubMessageSchema,
  Link,
  type AgentMessage,
  type HubMessage,
} from '#proto/agent/v1/index.ts';
import { reasonOf, type Logger } from '#sdk';
import { problems } from './errors.ts';
import type { Wire } from './stream.ts';
import type { Streams } from './streams.ts';

/** gRPC's own limit for one message: a batch of 1 MB, packed badly, still fits. */
const MESSAGE_LIMIT = 4 * 1024 * 1024;

type Call = grpc.ServerDuplexStream<AgentMessage | undefined, HubMessage>;

/** The service as grpc-js wants it. A message that cannot be read becomes `undefined`, so that its stream can be told why. */
const SERVICE: grpc.ServiceDefinition = {
  connect: {
    path: `/${Link.typeName}/Connect`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: AgentMessage) => Buffer.from(toBinary(AgentMessageSchema, message)),
    requestDeserialize: (bytes: Buffer): AgentMessage | undefined => {
      try {
        return fromBinary(AgentMessageSchema, bytes);
      } catch {
        return undefined; // The stream refuses it by name.
      }
    },
    responseSerialize: (message: HubMessage) => Buffer.from(toBinary(HubMessageSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(HubMessageSchema, bytes),
  },
};

/** Who a client certificate was made for; undefined when there is none of ours. */
function identityOf(call: Call): { org: string; agent: string } | undefined {
  const subject = call.getAuthContext().sslPeerCertificate?.subject as { CN?: unknown; O?: unknown } | undefined;
  return typeof subject?.CN === 'string' && typeof subject.O === 'string'
    ? { agent: subject.CN, org: subject.O }
    : undefined;
}

function connect(streams: Streams, log: Logger): (call: Call) => void {
  return (call) => {
    const identity = identityOf(call);
    if (identity === undefined) {
      call.emit('error', { code: grpc.status.UNAUTHENTICATED, details: 'a client certificate of this hub is needed' });
      return;
    }
    const wire: Wire = {
      ...identity,
      send: (message) => void call.write(message),
      isBehind: () => call.writableNeedDrain,
      end: () => call.end(),
      pause: () => void call.pause(),
      resume: () => void call.resume(),
    };
    const stream = streams.open(wire);
    let closed = false;
    const close = (): void => {
      if (closed) return;
      closed = true;
      streams
        .close(stream)
        .catch((error: unknown) =>
          log.warn('a closed stream could not be told to others', { reason: reasonOf(error) }),
        );
    };
    call.on('data', (message: AgentMessage | undefined) => {
      if (message === undefined) stream.refuse(problems.badFrame());
      else stream.take(message);
    });
    call.on('end', () => {
      close();
      call.end();
    });
    call.on('cancelled', close);
    call.on('error', close);
    call.on('close', close);
  };
}

/** The agents' listener: it demands a client certificate of the authority. */
export interface AgentListener {
  stop(): Promise<void>;
}

/** Listens; a taken port becomes one sentence that says what to do. */
export async function startListener(given: {
  host: string;
  port: number;
  ca: string;
  server: { key: string; cert: string };
  streams: Streams;
  log: Logger;
}): Promise<AgentListener> {
  grpc.setLogVerbosity(grpc.logVerbosity.NONE); // What matters comes back as an error, and is said in our own words.
  const server = new grpc.Server({
    'grpc.max_receive_message_length': MESSAGE_LIMIT,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  server.addService(SERVICE, { connect: connect(given.streams, given.log) as grpc.UntypedHandleCall });
  const pair = { private_key: Buffer.from(given.server.key), cert_chain: Buffer.from(given.server.cert) };
  const credentials = grpc.ServerCredentials.createSsl(Buffer.from(given.ca), [pair], true);
  const host = given.host.includes(':') ? `[${given.host}]` : given.host;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`${host}:${given.port}`, credentials, (error) => {
      if (error === null) return resolve();
      const detail = `Port ${given.port} for agents on ${given.host} is taken by another program. Stop it, or choose another port: make start GRPC_PORT=${given.port + 10}, or --grpc-port.`;
      if (/EADDRINUSE/.test(error.message)) return reject(problems.portTaken(detail, { cause: error }));
      const elsewhere = `The hub cannot listen for agents on ${host}:${given.port}: ${error.message}. Choose an address of this machine and a port above 1023.`;
      reject(problems.cannotListen(elsewhere, { cause: error }));
    });
  });
  return {
    stop: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}
