import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  AgentMessageSchema,
  Encoding,
  HubMessageSchema,
  Link as LinkService,
  LogsSchema,
  MetricsSchema,
  type AgentMessage,
  type AnomalyEvent,
  type Batch,
  type HubMessage,
  type Logs,
} from '#proto/agent/v1/index.ts';
import type { TestAuthority } from './authority.ts';

type Call = grpc.ServerDuplexStream<AgentMessage, HubMessage>;

type Unpack = (bytes: Uint8Array) => Promise<Uint8Array>;

/** What this Node has of what an agent may send. */
const { zstdDecompress } = zlib as { zstdDecompress?: typeof zlib.gunzip };
const UNPACKERS = new Map<Encoding, Unpack | undefined>([
  [Encoding.GZIP, promisify(zlib.gunzip) as Unpack],
  [Encoding.ZSTD, zstdDecompress && (promisify(zstdDecompress) as Unpack)],
]);
const say = (kind: HubMessage['kind']): HubMessage => create(HubMessageSchema, { kind });

const SERVICE: grpc.ServiceDefinition = {
  connect: {
    path: `/${LinkService.typeName}/Connect`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: AgentMessage) => Buffer.from(toBinary(AgentMessageSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(AgentMessageSchema, bytes),
    responseSerialize: (message: HubMessage) => Buffer.from(toBinary(HubMessageSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(HubMessageSchema, bytes),
  },
};

function unpacked(encoding: Encoding, bytes: Uint8Array): Promise<Uint8Array> | Uint8Array {
  const unpack = UNPACKERS.get(encoding);
  if (unpack === undefined) throw new Error(`encoding ${encoding} cannot be unpacked here`);
  return bytes.length === 0 ? bytes : unpack(bytes);
}

/** What a small hub does otherwise than the plainest one. */
export interface SmallHubOptions {
  port?: number;
  encodings?: readonly Encoding[];
  /** Gets what agents found strange, as it is told. */
  anomalies?: (events: readonly AnomalyEvent[]) => void;
}

/** A hub that speaks the agents' protocol, takes each batch once, and acknowledges it when its lines were taken. */
export interface SmallHub {
  address: string;
  stop(): void;
}

/** Starts a small hub; `take` gets the lines of each batch once, one batch after another. It takes gzip only, unless it is to announce more. */
export async function startSmallHub(
  authority: TestAuthority,
  take: (logs: Logs, encoding: Encoding) => Promise<void>,
  { port = 0, encodings = [Encoding.GZIP], anomalies }: SmallHubOptions = {},
): Promise<SmallHub> {
  /** The newest seq that was taken, by epoch and lane. */
  const taken = new Map<string, bigint>();
  let chain = Promise.resolve();

  const store = async (batch: Batch, call: Call): Promise<void> => {
    const { epoch, lane, seq } = batch;
    const stream = `${epoch} ${lane}`;
    if (seq > (taken.get(stream) ?? 0n)) {
      if (!encodings.includes(batch.encoding)) throw new Error('this hub did not say that it takes that');
      await take(fromBinary(LogsSchema, await unpacked(batch.encoding, batch.logs)), batch.encoding);
      anomalies?.(fromBinary(MetricsSchema, await unpacked(batch.encoding, batch.metrics)).anomalies);
      taken.set(stream, seq);
    }
    call.write(say({ case: 'ack', value: { $typeName: 'outrider.agent.v1.Ack', epoch, lane, seq } }));
  };
  const connect = (call: Call): void => {
    call.on('error', () => undefined);
    call.on('data', ({ kind }: AgentMessage) => {
      if (kind.case === 'hello') {
        const { epoch } = kind.value;
        const [ackedLive, ackedBackfill] = [taken.get(`${epoch} 1`) ?? 0n, taken.get(`${epoch} 2`) ?? 0n];
        const value = {
          agentId: 'agent',
          resourceName: 'agent',
          clockMs: BigInt(Date.now()),
          ackedLive,
          ackedBackfill,
          encodings: [...encodings],
          detection: false,
        };
        call.write(say({ case: 'welcome', value: { $typeName: 'outrider.agent.v1.Welcome', ...value } }));
      } else if (kind.case === 'batch') {
        const batch = kind.value;
        chain = chain.then(() => store(batch, call)).catch(() => void call.end());
      }
    });
    call.on('end', () => call.end());
  };
  const server = new grpc.Server();
  server.addService(SERVICE, { connect });
  const { key, cert } = await authority.server();
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  const credentials = grpc.ServerCredentials.createSsl(Buffer.from(authority.ca), [pair], true);
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, at) => (error === null ? resolve(at) : reject(error))),
  );
  return { address: `127.0.0.1:${bound}`, stop: () => server.forceShutdown() };
}
