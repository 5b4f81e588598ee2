import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile, type Attributes, type Emit } from '#sdk';
import { parseInterfaces, type DirectionCounts } from './interfaces.ts';
import { parseSockets, parseTcp } from './sockets.ts';

const ESTABLISHED = { 'network.transport': 'tcp', 'network.connection.state': 'established' };
const TIME_WAIT = { 'network.transport': 'tcp', 'network.connection.state': 'time_wait' };
const UDP = { 'network.transport': 'udp' };

/** What is kept of an interface between two runs. */
interface Interface {
  shown: boolean;
  receive: Attributes;
  transmit: Attributes;
}

function inspect(name: string, exclude: readonly RegExp[]): Interface {
  const plain = { 'network.interface.name': name };
  return {
    shown: !exclude.some((pattern) => pattern.test(name)),
    receive: { ...plain, 'network.io.direction': 'receive' },
    transmit: { ...plain, 'network.io.direction': 'transmit' },
  };
}

function emitDirection(emit: Emit, counts: DirectionCounts, attributes: Attributes): void {
  emit('system.network.io', counts.bytes, attributes);
  emit('system.network.packet.count', counts.packets, attributes);
  emit('system.network.packet.dropped', counts.dropped, attributes);
  emit('system.network.errors', counts.errors, attributes);
}

function createSocketGauge(root: string): (emit: Emit) => void {
  const readV4 = textFile(join(root, 'proc/net/sockstat'));
  const readV6 = textFile(join(root, 'proc/net/sockstat6'));
  const readSnmp = textFile(join(root, 'proc/net/snmp'));
  return (emit) => {
    const { timeWait, udp } = parseSockets(readV4() ?? '', readV6() ?? '');
    const { established, retransmits } = parseTcp(readSnmp() ?? '');
    if (established !== undefined) emit('system.network.connection.count', established, ESTABLISHED);
    if (timeWait !== undefined) emit('system.network.connection.count', timeWait, TIME_WAIT);
    if (udp !== undefined) emit('system.network.connection.count', udp, UDP);
    if (retransmits !== undefined) emit('system.network.tcp.retransmits', retransmits);
  };
}

/** Traffic, sockets and retransmits from /proc/net. */
export const network = defineCollector({
  name: 'network',
  summary: 'Reads what interfaces moved, sockets by state and TCP retransmits, from /proc/net.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object(
    {
      exclude: Type.Array(Type.String({ format: 'regex' }), {
        default: ['^lo$', '^(veth|cali|lxc|tap|docker|br-|virbr|cni|flannel|cilium|kube)'],
        description: 'Regular expressions; an interface whose name matches one is left out.',
      }),
    },
    { additionalProperties: false },
  ),
  create({ config, root }) {
    const read = textFile(join(root, 'proc/net/dev'));
    const emitSockets = createSocketGauge(root);
    const exclude = config.exclude.map((pattern) => new RegExp(pattern));
    let interfaces = new Map<string, Interface>();
    return {
      collect(emit) {
        const text = read();
        const present = new Map<string, Interface>();
        for (const { name, received, transmitted } of parseInterfaces(text ?? '')) {
          const known = interfaces.get(name) ?? inspect(name, exclude);
          present.set(name, known);
          if (!known.shown) continue;
          emitDirection(emit, received, known.receive);
          emitDirection(emit, transmitted, known.transmit);
        }
        interfaces = present;
        emitSockets(emit);
        if (text === undefined) throw new Error('/proc/net/dev cannot be read');
      },
    };
  },
});
