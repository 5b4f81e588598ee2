import type { LinkSettings } from '../config.ts';
import type { Transport } from './transport.ts';

/** The servers, for people; they never carry a password. */
const placesOf = (servers: readonly string[]): string => servers.join(', ');

/** The transport that the settings choose; only that one is loaded, and not before it is needed. `link` is the address that the enrolment named. */
export function transportOf({ transport, nats }: Omit<LinkSettings, 'compression'>, link: string): Transport {
  if (transport === 'grpc')
    return {
      place: link,
      isShared: false,
      open: async (...given) => (await import('./grpc.ts')).grpcTransport(link).open(...given),
    };
  const open: Transport['open'] = async (...given) => (await import('./nats.ts')).natsTransport(nats).open(...given);
  return { place: placesOf(nats.servers), isShared: true, open };
}
