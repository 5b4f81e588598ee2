import { expect, test } from 'vitest';
import { conditionOf } from './conditions.ts';

test('quotes and NUL bytes of a searched text end no literal', () => {
  expect(conditionOf({ from: 0, to: 1, text: "it's '; DROP\0x" }, [1, 2])).toBe(
    "src IN (1, 2) AND contains(lower(text), lower(('it''s ''; DROP' || chr(0) || 'x')))",
  );
});

test('empty texts ask for nothing', () => {
  expect(conditionOf({ from: 0, to: 1, text: '', without: [''], levels: [] }, [7])).toBe('src IN (7)');
});
