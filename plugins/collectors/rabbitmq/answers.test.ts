import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readNodes, readOverview, readQueues } from './answers.ts';

test('what is missing may be missing, and what is more is left', () => {
  expect(readOverview('{"node":"rabbit@x"}')).toMatchObject({});
  expect(readNodes('[{"name":"rabbit@x","mem_used":1,"new":{}}]')).toMatchObject([{ name: 'rabbit@x', mem_used: 1 }]);
  expect(readQueues('{"items":[{"name":"a","vhost":"/"}],"filtered_count":1}').items).toHaveLength(1);
});

test('any other answer is refused with what it was about', () => {
  expect(() => readOverview('<html>')).toThrow('about the cluster is no JSON');
  expect(() => readNodes('{"error":"not_authorised"}')).toThrow('about its nodes is not that of RabbitMQ');
  for (const read of [readOverview, readNodes, readQueues])
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          read(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'targets.not-understood' });
        }
      }),
    );
});
