import { countIn } from '#sdk';

/** Counts of one network interface since it appeared. */
export interface InterfaceCounts {
  name: string;
  received: DirectionCounts;
  transmitted: DirectionCounts;
}

/** Counts of one direction. */
export interface DirectionCounts {
  bytes: number;
  packets: number;
  errors: number;
  dropped: number;
}

function direction(fields: readonly string[], from: number): DirectionCounts {
  const [bytes = NaN, packets = NaN, errors = NaN, dropped = NaN] = fields.slice(from, from + 4).map(countIn);
  return { bytes, packets, errors, dropped };
}

const isRead = (counts: DirectionCounts): boolean => Object.values(counts).every(Number.isFinite);

/** Interfaces of /proc/net/dev that have moved a packet; lines that cannot be read are passed over. */
export function parseInterfaces(text: string): InterfaceCounts[] {
  const found: InterfaceCounts[] = [];
  for (const line of text.split('\n')) {
    const colon = line.lastIndexOf(':'); // An alias such as eth0:1 has one of its own in the name.
    if (colon < 0) continue;
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/); // Old kernels leave no space after the colon.
    const name = line.slice(0, colon).trim();
    const received = direction(fields, 0);
    const transmitted = direction(fields, 8);
    if (name === '' || !isRead(received) || !isRead(transmitted)) continue;
    if (received.packets + transmitted.packets > 0) found.push({ name, received, transmitted });
  }
  return found;
}
