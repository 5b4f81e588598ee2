import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  connect,
  credsAuthenticator,
  errors,
  headers,
  type ConnectionOptions,
  type Msg,
  type NatsConnection,
} from '@nats-io/transport-node';
import {
  AgentMessageSchema,
  BatchSchema,
  Encoding,
  HubMessageSchema,
  Lane,
  Stream,
  type AgentMessage,
  type Batch,
} from '#proto/agent/v1/index.ts';
import { agentSubjects, ENCODING_HEADER, messageId, type AgentName, type NatsQuestion } from '#proto/agent/v1/nats.ts';
import { reasonOf } from '#sdk';
import { isLocal, type LinkSettings } from '../config.ts';
import type { Identity } from '../identity.ts';
import { tooLarge, type Transport, type Wire } from './transport.ts';

type NatsSettings = Readonly<LinkSettings['nats']>;

/** How long an answer may take, milliseconds: a batch is on the disks of a majority of servers by then, or the connection is given up. */
const ANSWER_MS = 10_000;

/** JetStream's word for a message that is larger than its stream takes, and bytes of headers and subject beside a batch. */
const TOO_LARGE = 10054;
const BESIDE = 1024;

/** Who the certificate says that this agent is. */
function nameOf({ certificate }: Identity): AgentName {
  const { CN: agent, O: org } = new X509Certificate(certificate).toLegacyObject().subject as Record<string, string>;
  return { agent: agent ?? '', org: org ?? '' };
}

/** Shows the agent's certificate, and signs the server's nonce with its key: nothing that opens anything a second time is sent. */
function authenticator({ certificate, key }: Identity) {
  const token = new X509Certificate(certificate).raw.toString('base64url');
  const privateKey = createPrivateKey(key);
  return (nonce?: string) => ({
    auth_token: token,
    sig: nonce === undefined ? '' : sign('sha256', Buffer.from(nonce), privateKey).toString('base64url'),
  });
}

/** How an agent connects, for itself and for what tries its credentials. */
export function optionsOf(identity: Identity, kind: Stream, settings: NatsSettings): ConnectionOptions {
  const { servers, ca, certificate, key, credentials } = settings;
  const read = (path: string): string => readFileSync(path, 'utf8');
  const tls = {
    ca: [ca === '' ? rootCertificates : read(ca), identity.ca].flat().join('\n'),
    cert: certificate === '' ? identity.certificate : read(certificate),
    key: key === '' ? identity.key : read(key),
  };
  return {
    servers: [...servers],
    name: kind === Stream.BACKFILL ? 'backfill' : 'live',
    inboxPrefix: agentSubjects(nameOf(identity)).inbox,
    authenticator:
      credentials === '' ? authenticator(identity) : credsAuthenticator(new Uint8Array(readFileSync(credentials))),
    ...(servers.every((server) => isLocal(server) && !server.startsWith('tls://')) ? {} : { tls }),
    timeout: ANSWER_MS,
    // The link comes back by itself, with a hello.
    reconnect: false,
    pingInterval: 10_000,
    maxPingOut: 2,
  };
}

/** Why a connection could not be had or ended, in words for an operator. */
function wordsFor(error: unknown, place: string): string {
  const text = reasonOf(error);
  if (/user authentication expired/i.test(text)) return ''; // The next connection shows the newer certificate.
  if (error instanceof errors.NoRespondersError) return `no hub listens behind NATS at ${place}`;
  if (/authorization violation|account authentication|permissions violation/i.test(text))
    return `NATS at ${place} does not let this agent in: its hub was not asked, does not know it, or an administrator removed it`;
  if (/timeout|TIMEOUT/.test(text)) return `NATS at ${place} did not answer in time`;
  if (/connection refused|ECONNREFUSED/.test(text)) return `nobody listens at ${place}`;
  return `NATS at ${place}: ${text}`;
}

/** What JetStream says to a batch. */
interface PublishAnswer {
  error?: { code: number; err_code?: number; description?: string };
}

/** Why JetStream did not take a batch. */
function notTaken({ error }: PublishAnswer, place: string): string | undefined {
  if (error === undefined) return undefined;
  const { err_code: code, description = '' } = error;
  if ([10077, 10047, 10023].includes(code ?? 0) || /maximum (bytes|messages)/.test(description))
    return `NATS at ${place} has no room for more batches; the spool keeps them`;
  return `NATS at ${place} did not take a batch (${description})`;
}

type Asked = Extract<AgentMessage['kind'], { case: NatsQuestion }>;

/** A stream over NATS: questions by request and answer, one batch after another into JetStream, whose answer is the acknowledgement. */
function openWire(
  settings: NatsSettings,
  place: string,
  [identity, kind, received]: Parameters<Transport['open']>,
): Wire {
  const subjects = agentSubjects(nameOf(identity));
  let over = false;
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = (reason) => {
      over = true;
      resolve(reason);
    };
  });
  const say = (reply: Msg): void => received(fromBinary(HubMessageSchema, reply.data));
  const opening = connect(optionsOf(identity, kind, settings));
  const begin = async (): Promise<NatsConnection> => {
    const nats = await opening;
    void nats.closed().then((error) => end(error === undefined ? '' : wordsFor(error, place)));
    nats.subscribe(subjects.told, {
      callback(error, message) {
        if (error === null && !over) say(message);
      },
    });
    return nats;
  };
  const begun = begin();

  const ask = async (nats: NatsConnection, asked: Asked): Promise<void> => {
    const data = toBinary(AgentMessageSchema, create(AgentMessageSchema, { kind: asked }));
    say(await nats.request(subjects.ask(asked.case), data, { timeout: ANSWER_MS }));
  };
  const refuse = (detail: string): void =>
    received({ $typeName: 'outrider.agent.v1.HubMessage', kind: { case: 'refusal', value: tooLarge(detail) } });
  const publish = async (nats: NatsConnection, batch: Batch): Promise<void> => {
    const { epoch, lane, seq, encoding } = batch;
    const about = headers();
    about.set('Nats-Msg-Id', messageId(nameOf(identity).agent, { epoch, lane, seq }));
    about.set(ENCODING_HEADER, Encoding[encoding] ?? '');
    const subject = subjects.batch(lane === Lane.BACKFILL ? 'backfill' : 'live');
    const options = { headers: about, timeout: ANSWER_MS };
    const data = toBinary(BatchSchema, batch);
    const limit = nats.info?.max_payload ?? Infinity;
    if (data.length > limit - BESIDE)
      return refuse(`A batch has ${data.length} bytes, NATS at ${place} takes ${limit}.`);
    const reply = (await nats.request(subject, data, options)).json<PublishAnswer>();
    if (reply.error?.err_code === TOO_LARGE)
      return refuse(`A batch has ${data.length} bytes, more than is kept there.`);
    const fault = notTaken(reply, place);
    if (fault !== undefined) return end(fault);
    const value = { $typeName: 'outrider.agent.v1.Ack' as const, epoch, lane, seq };
    received({ $typeName: 'outrider.agent.v1.HubMessage', kind: { case: 'ack', value } });
  };
  const perform = async ({ kind: sent }: AgentMessage): Promise<void> => {
    const nats = await begun;
    if (over) return;
    if (sent.case === 'batch') await publish(nats, sent.value);
    else if (sent.case !== undefined) await ask(nats, sent);
  };
  const failed = (error: unknown): void => end(wordsFor(error, place));
  // One after another: JetStream takes each batch or none, and a later one that it took before an earlier one would make that one look like a resend.
  let turn: Promise<void> = Promise.resolve();
  return {
    send(message) {
      // Who asks for the time does not queue.
      if (message.kind.case === 'ping') void perform(message).catch(failed);
      else turn = turn.then(() => perform(message)).catch(failed);
      return message.kind.case !== 'batch';
    },
    drained: () => Promise.race([turn, ended.then(() => undefined)]),
    ended,
    close() {
      over = true;
      void opening.then(
        (nats) => nats.close(),
        () => undefined,
      );
    },
  };
}

/** NATS JetStream: a batch is acknowledged when the servers have it on disk; hubs take it from there. */
export function natsTransport(settings: NatsSettings): Transport {
  const place = settings.servers.map((server) => server.replace(/\/\/[^@/]*@/, '//')).join(', ');
  return { place, isShared: true, open: (...given) => openWire(settings, place, given) };
}
