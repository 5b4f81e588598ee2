import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { Type, type Static } from 'typebox';
import { defineCollector, type CollectorContext, type Emit } from '#sdk';
import { createAggregate, type Aggregate } from './aggregate.ts';
import { parsePacket } from './packet.ts';

const Config = Type.Object(
  {
    listen: Type.String({ default: '127.0.0.1', description: 'The address to listen on.' }),
    port: Type.Integer({ default: 8125, minimum: 0, maximum: 65_535, description: 'The UDP port to listen on.' }),
    allowRemote: Type.Boolean({
      default: false,
      description:
        'Whether `listen` may be an address that other machines reach. StatsD knows no password: whoever reaches it can write metrics.',
    }),
    maxSeries: Type.Integer({
      default: 1000,
      minimum: 10,
      maximum: 9000,
      description: 'Series that are kept at once; samples for more are counted and left out. A timer makes seven.',
    }),
    expire: Type.Integer({
      default: 300,
      minimum: 1,
      maximum: 86_400,
      description: 'Seconds after which a metric that nobody sends any more is forgotten.',
    }),
  },
  { additionalProperties: false },
);

type Context = CollectorContext<Static<typeof Config>>;

/** What became of samples. */
const OUTCOMES = ['taken', 'malformed', 'unsupported', 'type_conflict', 'too_many_series'] as const;

type Outcome = (typeof OUTCOMES)[number];

/** True for an address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address) || address === '::1' || address === 'localhost';
}

/** Resolves with a socket that is bound; rejects, with what to do, when it cannot be. */
function bind({ config }: Context, take: (packet: string) => void): Promise<Socket> {
  const { listen, port, allowRemote } = config;
  if (!isLoopback(listen) && !allowRemote)
    return Promise.reject(
      new Error(
        `other machines reach ${listen}: set collectors.statsd.allowRemote to allow that, or listen on 127.0.0.1`,
      ),
    );
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(listen) ? 'udp6' : 'udp4' });
    socket.once('error', (error) => {
      socket.close();
      reject(new Error(`cannot listen on ${listen}:${port}: ${error.message}`, { cause: error }));
    });
    socket.bind({ address: listen, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      socket.on('message', (packet) => take(packet.toString('utf8')));
      resolve(socket);
    });
  });
}

function createCounts(): { add(outcome: Outcome, by?: number): void; emit(emit: Emit): void } {
  const counts = OUTCOMES.map((outcome) => ({ outcome, count: 0, attributes: { 'outrider.statsd.outcome': outcome } }));
  return {
    add(outcome, by = 1) {
      const found = counts.find((one) => one.outcome === outcome);
      if (found !== undefined) found.count += by;
    },
    emit(emit) {
      for (const { count, attributes } of counts) emit('outrider.statsd.samples', count, attributes);
    },
  };
}

function receiver(aggregate: Aggregate, counts: ReturnType<typeof createCounts>, { clock }: Context) {
  return (packet: string): void => {
    const { samples, malformed, unsupported } = parsePacket(packet);
    counts.add('malformed', malformed);
    counts.add('unsupported', unsupported);
    for (const sample of samples) counts.add(aggregate.add(sample, clock.monotonic()) ?? 'taken');
  };
}

/** Metrics that programs send as StatsD packets. */
export const statsd = defineCollector({
  name: 'statsd',
  summary:
    'Listens for StatsD and DogStatsD packets (UDP, on this machine only unless allowed otherwise) and adds them up between two runs.',
  platforms: ['linux', 'darwin', 'win32'],
  intervalSeconds: 10,
  enabled: false,
  config: Config,
  create(context) {
    const { config, clock, log } = context;
    const aggregate = createAggregate({ mostSeries: config.maxSeries, expireMs: config.expire * 1000 });
    const counts = createCounts();
    const take = receiver(aggregate, counts, context);
    let socket: Socket | undefined;
    let isStopped = false;
    return {
      async collect(emit) {
        if (socket === undefined) {
          const bound = await bind(context, take);
          if (isStopped) return void bound.close();
          bound.on('error', (error) => {
            log.warn('the StatsD socket failed and is opened anew', { reason: error.message });
            bound.close();
            socket = undefined;
          });
          socket = bound;
          log.info('listening for StatsD', { ...bound.address() });
        }
        counts.emit(emit);
        aggregate.emit(emit, clock.monotonic());
      },
      stop() {
        isStopped = true;
        socket?.close();
        socket = undefined;
      },
    };
  },
});
