import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  AgentMessageSchema,
  HubMessageSchema,
  Lane,
  Link as LinkService,
  type AgentMessage,
  type Batch,
  type Hello,
  type HubMessage,
  type Stream,
} from '#proto/agent/v1/index.ts';
import { expect } from 'vitest';
import type { TestAuthority } from './authority.ts';

/** A stream of an agent. */
export type Call = grpc.ServerDuplexStream<AgentMessage, HubMessage>;

/** What the small hub does with a message; false: it has answered by itself. */
type Behaviour = (message: AgentMessage, call: Call) => boolean;

/** A message of a hub. */
export const say = (kind: HubMessage['kind']): HubMessage => create(HubMessageSchema, { kind });
/** Names of a lane of an epoch, and of a batch in it. */
export const laneOf = ({ epoch, lane }: Pick<Batch, 'epoch' | 'lane'>): string => `${epoch}:${lane}`;
export const keyOf = (batch: Batch): string => `${laneOf(batch)}:${batch.seq}`;

/** Starts a hub that keeps keys and acknowledges, as the real one does; it can be made to misbehave. */
export async function startScriptedHub(authority: TestAuthority, port = 0) {
  const stored = new Map<string, Batch>();
  const acked = new Map<string, bigint>();
  /** Numbers that never come, by the number at which the gap begins. */
  const givenUp = new Map<bigint, bigint>();
  const hellos: Hello[] = [];
  const subjects: unknown[] = [];
  let behaviour: Behaviour = () => true;
  let behindMs = 5000;
  const calls = new Map<Stream, Call>();
  const welcome = (hello: Hello, call: Call): void => {
    hellos.push(hello);
    calls.set(hello.stream, call);
    subjects.push(call.getAuthContext().sslPeerCertificate?.subject);
    const value = {
      agentId: 'a',
      resourceName: 'web-1',
      clockMs: BigInt(Date.now() - behindMs),
      ackedLive: acked.get(laneOf({ ...hello, lane: Lane.LIVE })) ?? 0n,
      ackedBackfill: acked.get(laneOf({ ...hello, lane: Lane.BACKFILL })) ?? 0n,
      encodings: [],
      detection: false,
    };
    call.write(say({ case: 'welcome', value: { $typeName: 'outrider.agent.v1.Welcome', ...value } }));
  };
  const store = (batch: Batch, call: Call): void => {
    const newest = acked.get(laneOf(batch)) ?? 0n;
    if (batch.seq > newest) {
      expect(batch.seq).toBe(newest + 1n + (givenUp.get(newest + 1n) ?? 0n));
      stored.set(keyOf(batch), batch);
      acked.set(laneOf(batch), batch.seq);
    }
    const value = { epoch: batch.epoch, lane: batch.lane, seq: batch.seq };
    call.write(say({ case: 'ack', value: { $typeName: 'outrider.agent.v1.Ack', ...value } }));
  };
  const connect = (call: Call): void => {
    call.on('error', () => undefined);
    call.on('data', (message: AgentMessage) => {
      if (!behaviour(message, call)) return;
      if (message.kind.case === 'hello') welcome(message.kind.value, call);
      if (message.kind.case === 'batch') store(message.kind.value, call);
    });
    call.on('end', () => call.end());
  };
  const server = new grpc.Server();
  const service: grpc.ServiceDefinition = {
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
  server.addService(service, { connect });
  const { key, cert } = await authority.server();
  const credentials = grpc.ServerCredentials.createSsl(
    Buffer.from(authority.ca),
    [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }],
    true,
  );
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, at) => (error === null ? resolve(at) : reject(error))),
  );
  return {
    address: `127.0.0.1:${bound}`,
    stored,
    acked,
    givenUp,
    store,
    hellos,
    subjects,
    /** How far the clock of this hub is behind the machine's. */
    behind: (ms: number) => void (behindMs = ms),
    cut: (kind: Stream) => calls.get(kind)?.end(),
    behave: (next: Behaviour) => void (behaviour = next),
    stop: () => server.forceShutdown(),
  };
}
/** A hub that a test tells what to do. */
export type ScriptedHub = Awaited<ReturnType<typeof startScriptedHub>>;
