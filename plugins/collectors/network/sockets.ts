import { countIn } from '#sdk';

/** The count that stands after `key` on the line of /proc/net/sockstat that begins with `label`. */
function countOn(text: string, label: string, key: string): number | undefined {
  const line = new RegExp(`^${label}: .*$`, 'm').exec(text)?.[0];
  const words = line?.split(' ') ?? [];
  const at = words.indexOf(key);
  const count = at < 0 ? NaN : countIn(words[at + 1]);
  return Number.isFinite(count) ? count : undefined;
}

/** TCP sockets in TIME_WAIT (of both address families) and UDP sockets, from /proc/net/sockstat and sockstat6. */
export function parseSockets(v4: string, v6: string): { timeWait: number | undefined; udp: number | undefined } {
  const udp4 = countOn(v4, 'UDP', 'inuse');
  const udp6 = countOn(v6, 'UDP6', 'inuse') ?? 0;
  return { timeWait: countOn(v4, 'TCP', 'tw'), udp: udp4 === undefined ? undefined : udp4 + udp6 };
}

/** Established connections (with those that wait for us to close) and segments sent again, from /proc/net/snmp. */
export function parseTcp(snmp: string): { established: number | undefined; retransmits: number | undefined } {
  const [names, values] = snmp
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.trimEnd().split(' '));
  const read = (name: string): number | undefined => {
    const at = names?.indexOf(name) ?? -1;
    const count = at < 0 ? NaN : countIn(values?.[at]);
    return Number.isFinite(count) ? count : undefined;
  };
  return { established: read('CurrEstab'), retransmits: read('RetransSegs') };
}
