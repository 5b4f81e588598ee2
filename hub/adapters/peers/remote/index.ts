import { reasonOf, systemClock } from '#sdk';
import { Counter, Gauge, type Registry } from 'prom-client';
import { Agent, request as send } from 'undici';
import { DEADLINE_HEADER, timeLeft } from '../../../call-context.ts';
import {
  peerProblems as problems,
  peersOver,
  type PeerReply,
  type PeerRequest,
  type Peers,
} from '../../../ports/peers.ts';
import type { Principal } from '../../../principal.ts';
import { SpanKind, traced, withTrace } from '../../../tracing.ts';
import { createAddresses, type Address, type Addresses } from './addresses.ts';
import { createRetryBudget } from './retry-budget.ts';

/** What calls to other processes need. */
export interface RemoteGiven {
  /** Base addresses by service: `http://10.0.0.7:8082`. */
  addresses: Readonly<Record<string, readonly string[]>>;
  sign(service: string, principal: Principal | undefined): Promise<string>;
  metrics: Registry;
  /** PEM of the authority that certifies sisters; the system's when absent. */
  ca?: string;
}

/** Peers in other processes; `close` ends the connections. */
export interface RemotePeers extends Peers {
  close(): Promise<void>;
}

/** A body that is silent for longer is broken off; event streams beat every 15 s. Milliseconds. */
const SILENCE_MS = 60_000;
/** Two calls more at most. */
const RETRIES = 2;
const CONNECT_MS = 2_000;

/** Faults before the call was on its way: whatever it asks, it can be made again. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const IDEMPOTENT = new Set(['GET', 'PUT', 'DELETE']);

const codeOf = (error: unknown): string => {
  const { code, cause } = error as { code?: string; cause?: { code?: string } };
  return code ?? cause?.code ?? '';
};

const STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

function createMetrics(registry: Registry, services: ReadonlyMap<string, Addresses>) {
  new Gauge({
    name: 'outrider_peer_breaker_state',
    help: 'Whether a sister is asked: 0 closed (asked), 1 half-open (tried), 2 open (left alone).',
    labelNames: ['service', 'address'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [service, { all }] of services)
        for (const address of all) this.set({ service, address: address.url }, STATES[address.state()]);
    },
  });
  return {
    calls: new Counter({
      name: 'outrider_peer_calls_total',
      help: 'Calls to sisters in other processes, by service and outcome: answered, late, unavailable.',
      labelNames: ['service', 'outcome'] as const,
      registers: [registry],
    }),
    retries: new Counter({
      name: 'outrider_peer_retries_total',
      help: 'Calls that were made again at another address or over a new connection.',
      labelNames: ['service'] as const,
      registers: [registry],
    }),
  };
}

function headersOf(request: PeerRequest, leftMs: number, token: string): Record<string, string> {
  return withTrace({
    ...request.headers,
    authorization: `Bearer ${token}`,
    [DEADLINE_HEADER]: String(Math.max(1, Math.floor(leftMs))),
    ...(request.requestId === undefined ? {} : { 'x-request-id': request.requestId }),
  });
}

/** One try at one address; rejects with whatever the transport says. */
function attemptOver(agent: Agent, sign: RemoteGiven['sign']) {
  return async (address: Address, service: string, request: PeerRequest): Promise<PeerReply> => {
    const leftMs = timeLeft(request.deadlineMs);
    if (leftMs <= 0) throw problems.late(`The time for the call was over before ${service} was asked.`);
    const token = await sign(service, request.principal);
    const given = new AbortController();
    const late = problems.late(`${service} at ${address.url} did not answer within ${Math.round(leftMs)} ms.`);
    const over = systemClock.after(leftMs, () => given.abort(late));
    const signal = request.signal === undefined ? given.signal : AbortSignal.any([request.signal, given.signal]);
    try {
      return await address.fire(async () => {
        const url = `${address.url}/peers/${service}${request.path}${request.query ? `?${request.query}` : ''}`;
        const { method, body } = request;
        const headers = headersOf(request, leftMs, token);
        const reply = await send(url, { dispatcher: agent, method, headers, body: body ?? null, signal });
        return { status: reply.statusCode, headers: reply.headers, body: reply.body };
      });
    } finally {
      over();
    }
  };
}

/** Peers in other processes: HTTP with keep-alive, addresses in turn, a circuit breaker each, and a few retries. */
export function createRemotePeers({ addresses, sign, metrics: registry, ca }: RemoteGiven): RemotePeers {
  const agent = new Agent({
    connect: { timeout: CONNECT_MS, ...(ca === undefined ? {} : { ca }) },
    headersTimeout: 0,
    bodyTimeout: SILENCE_MS,
    connections: 64,
  });
  const services = new Map(Object.entries(addresses).map(([service, urls]) => [service, createAddresses(urls)]));
  const budget = createRetryBudget();
  const metrics = createMetrics(registry, services);

  const attempt = attemptOver(agent, sign);

  const call = async (service: string, request: PeerRequest): Promise<PeerReply> => {
    const own = services.get(service);
    if (own === undefined || own.all.length === 0)
      throw problems.unknownService(
        `No address of the service "${service}" is known; name it in peers.addresses.${service}.`,
      );
    budget.called();
    const tried = new Set<Address>();
    for (let retries = 0; ; retries++) {
      const address = own.next(tried) ?? own.next(new Set());
      if (address === undefined) {
        metrics.calls.inc({ service, outcome: 'unavailable' });
        const why = own.all.map(({ url, reason }) => `${url}: ${reason()}`).join('; ');
        throw problems.unavailable(`${service} does not answer (${why}). It is tried again every two seconds.`);
      }
      try {
        const reply = await attempt(address, service, request);
        metrics.calls.inc({ service, outcome: 'answered' });
        return reply;
      } catch (error) {
        tried.add(address);
        if (request.signal?.aborted === true) throw error;
        const isLate = (error as { code?: string }).code === 'peers.late';
        const mayRepeat = !isLate && (NEVER_SENT.has(codeOf(error)) || IDEMPOTENT.has(request.method));
        if (mayRepeat && retries < RETRIES && timeLeft(request.deadlineMs) > 0 && budget.take()) {
          metrics.retries.inc({ service });
          continue;
        }
        metrics.calls.inc({ service, outcome: isLate ? 'late' : 'unavailable' });
        if (isLate) throw error;
        throw problems.unavailable(`${service} at ${address.url} does not answer (${reasonOf(error)}).`, {
          cause: error,
        });
      }
    }
  };

  return {
    ...peersOver((service, request) =>
      traced(`peers ${service}`, { kind: SpanKind.CLIENT, attributes: { 'outrider.service': service } }, () =>
        call(service, request),
      ),
    ),
    async close() {
      for (const { all } of services.values()) for (const address of all) address.close();
      await agent.destroy();
    },
  };
}
