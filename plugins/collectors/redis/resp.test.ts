import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeReply, encodeCommand } from './resp.ts';

test('a text is read whole, however it is cut, and what follows it is left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(), (text, cut) => {
      const whole = Buffer.from(`$${Buffer.byteLength(text)}\r\n${text}\r\n`);
      expect(decodeReply(Buffer.concat([whole, Buffer.from('+OK')]))).toEqual({ reply: { text }, end: whole.length });
      expect(decodeReply(whole.subarray(0, cut % whole.length))).toBeUndefined();
    }),
  );
});

test('words, errors and what is not Redis are told apart', () => {
  const read = (text: string) => decodeReply(Buffer.from(text))?.reply;
  expect(read('+OK\r\n')).toEqual({ text: 'OK' });
  expect(read('-NOAUTH Authentication required.\r\n')).toEqual({ fault: 'NOAUTH Authentication required.' });
  expect(read('HTTP/1.1 400 Bad Request\r\n')).toEqual({ fault: expect.stringContaining('does not speak') as string });
  expect(read('$-1\r\n')).toEqual({ fault: expect.stringContaining('no length') as string });
});

test('a command gives the length of each word in bytes', () => {
  expect(encodeCommand(['AUTH', 'é'])).toBe('*2\r\n$4\r\nAUTH\r\n$2\r\né\r\n');
});
