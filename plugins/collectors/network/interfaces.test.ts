import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { network } from './index.ts';
import { parseInterfaces } from './interfaces.ts';
import { parseSockets, parseTcp } from './sockets.ts';

const words = fc.array(fc.oneof(fc.string(), fc.nat().map(String), fc.constantFrom('Tcp:', 'TCP:', 'tw', 'CurrEstab')));

test('reads interfaces with and without a blank after the colon', () => {
  const [glued, alias] = parseInterfaces('eth0:1 2 3 4 0 0 0 0 5 6 7 8\neth0:1: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n');
  expect(glued).toEqual({
    name: 'eth0',
    received: { bytes: 1, packets: 2, errors: 3, dropped: 4 },
    transmitted: { bytes: 5, packets: 6, errors: 7, dropped: 8 },
  });
  expect(alias?.name).toBe('eth0:1');
});

test('damaged lines lose no other, and an interface that never moved a packet is not told', () => {
  const text = 'a: 1 x 3\nb: 0 0 0 0 0 0 0 0 0 0 0 0\nc: 1 1 0 0 0 0 0 0 1 1 0 0\n: 1 1 1 1 1 1 1 1 1 1 1 1';
  expect(parseInterfaces(text).map(({ name }) => name)).toEqual(['c']);
  fc.assert(
    fc.property(words, (parts) => {
      for (const { received, transmitted } of parseInterfaces(`x: ${parts.join(' ')}`)) {
        expect([...Object.values(received), ...Object.values(transmitted)].every(Number.isFinite)).toBe(true);
      }
    }),
  );
});

test('sockets of both families are added up', () => {
  expect(parseSockets('TCP: inuse 1 orphan 0 tw 37 alloc 1\nUDP: inuse 5 mem 2', 'UDP6: inuse 4')).toEqual({
    timeWait: 37,
    udp: 9,
  });
});

test('values of /proc/net/snmp are found by their heading', () => {
  expect(parseTcp('Tcp: MaxConn RetransSegs CurrEstab\nTcp: -1 12 3\n')).toEqual({ established: 3, retransmits: 12 });
  expect(parseTcp('Tcp: MaxConn CurrEstab\n')).toEqual({ established: undefined, retransmits: undefined });
});

test('no text makes a count that is not finite', () => {
  fc.assert(
    fc.property(words, words, (a, b) => {
      const text = `Tcp: ${a.join(' ')}\nTCP: ${b.join(' ')}`;
      for (const value of [...Object.values(parseSockets(text, text)), ...Object.values(parseTcp(text))]) {
        expect(value === undefined || Number.isFinite(value)).toBe(true);
      }
    }),
  );
});

test('without /proc/net/dev the sockets are still told', async () => {
  const [run] = await replay(network, [{ 'proc/net/sockstat': 'TCP: inuse 1 tw 2\n' }]);
  expect(run?.fault).toBe('/proc/net/dev cannot be read');
  expect(Object.values(run?.values ?? {})).toEqual([2]);
});
