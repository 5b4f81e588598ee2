import { expect, test } from 'vitest';
import { createLineTemplates, type ToldTemplate } from './told.ts';

/** Sends lines, and keeps what the hub would hear. */
function begin() {
  const told: ToldTemplate[] = [];
  let nowMs = 1000;
  const templates = createLineTemplates({ saved: undefined, nowMs: () => nowMs++, tell: (one) => void told.push(one) });
  const send = (line: string) => {
    const bytes = Buffer.from(`before ${line} after`);
    const end = bytes.length - ' after'.length;
    const { id, places, count } = templates.find('/var/log/app.log', bytes, 'before '.length, end);
    const values: string[] = [];
    for (let n = 0, at = 'before '.length; n < count; n++) {
      at += places[2 * n] ?? 0;
      values.push(bytes.toString('utf8', at, (at += places[2 * n + 1] ?? 0)));
    }
    return { id: Buffer.from(id).readBigUInt64LE(0), values };
  };
  return { told, templates, send };
}

test('each kind is told once, before its first line, and a line says where its values stand', () => {
  const { told, send } = begin();
  const one = send('Größe of disk 7 is 12.5 GB');
  expect(told).toEqual([{ id: one.id, text: expect.stringMatching(/^Größe of disk <\w+> is <\w+>/), merged: [] }]);
  expect(one.values[0]).toBe('7');
  expect(send('Größe of disk 8 is 99.1 GB').id).toBe(one.id);
  expect(told).toHaveLength(1);
});

test('kinds that turn out to be one are told as one, with the ids that its lines were sent under', () => {
  const { told, templates, send } = begin();
  const sent = new Set<bigint>();
  for (const name of 'anna bert cleo dora emil fred gina hugo ines jens kurt lena'.split(' '))
    sent.add(send(`session of ${name} was opened by the door`).id);
  const [one] = templates.kinds();
  expect(one?.id).toMatch(/^[0-9a-f]{16}$/); // Also before the next line of it.
  expect(told.at(-1)?.id).toBe(BigInt(`0x${one?.id}`));
  const last = send('session of mona was opened by the door').id;
  expect(sent.has(last)).toBe(false);
  const merged = new Set(told.filter(({ id }) => id === last).flatMap((one) => one.merged));
  expect(merged).toEqual(sent);
  expect(templates.kinds()).toMatchObject([{ lines: 13, source: '/var/log/app.log' }]);
});
