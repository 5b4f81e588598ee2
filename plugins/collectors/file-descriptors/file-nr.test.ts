import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { parseFileNr } from './file-nr.ts';
import { fileDescriptors } from './index.ts';

test('open files are those allocated and in use', () => {
  expect(parseFileNr('592\t12\t2466170\n')).toEqual({ open: 580, limit: 2466170 });
  expect(parseFileNr('592 0 9223372036854775807')?.limit).toBe(2 ** 63);
});

test('anything else is nothing, never NaN', () => {
  const word = fc.oneof(fc.string(), fc.integer().map(String));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (words) => {
      const found = parseFileNr(words.join('\t'));
      if (found !== undefined) expect(found.open >= 0 && found.limit > 0 && found.open < Infinity).toBe(true);
    }),
  );
});

test('a missing file is a failure with a reason', async () => {
  const [run] = await replay(fileDescriptors, [{ x: '' }]);
  expect(run?.fault).toBe('/proc/sys/fs/file-nr cannot be read');
});
