import { describe, expect, test } from 'vitest';
import type { AlertChanged } from '#proto/subjects.ts';
import { messageOf } from './message.ts';

const NEWS: AlertChanged = {
  firing: 'f1',
  rule: 'r1',
  ruleName: 'Disk nearly full',
  state: 'firing',
  severity: 'warning',
  resource: 'h1',
  resourceName: 'web-1',
  metric: 'system.filesystem.utilization',
  attributes: { 'system.filesystem.mountpoint': '/data' },
  value: 0.96,
  threshold: 0.95,
  operator: 'gte',
  unit: '1',
  startedMs: 1_700_000_000_000,
  atMs: 1_700_000_060_000,
  title: 'Disk /data on web-1 is 96 % full',
  text: 'Value 96 %, threshold 95 %.',
  channels: [],
};
const PAGE = 'https://hub.example.org';

describe('one message of news', () => {
  test('says the same as the news when there is one', () => {
    expect(messageOf([NEWS], PAGE)).toMatchObject({
      key: 'f1:firing',
      threads: ['f1'],
      state: 'firing',
      title: NEWS.title,
      text: NEWS.text,
    });
  });

  test('links to the alert itself: to what fires now, or to the history of what is over', () => {
    const over: AlertChanged = { ...NEWS, state: 'resolved' };
    expect(messageOf([NEWS], PAGE).url).toBe('https://hub.example.org/alerts?open=f1');
    expect(messageOf([over], PAGE).url).toBe('https://hub.example.org/alerts?tab=history&open=f1');
    expect(messageOf([NEWS, { ...over, firing: 'f2' }], PAGE).url).toBe('https://hub.example.org/alerts');
  });

  test('lists all of a burst, what fires first, and is as severe as the worst that fires', () => {
    const second: AlertChanged = { ...NEWS, firing: 'f2', severity: 'critical', title: 'Memory of web-1 is exhausted' };
    const third: AlertChanged = { ...NEWS, firing: 'f3', state: 'resolved', title: 'web-1 reports again' };
    const message = messageOf([third, NEWS, second], PAGE);
    expect(message.title).toBe('3 alerts on web-1: 2 firing, 1 resolved');
    expect(message.severity).toBe('critical');
    expect(message.text.indexOf('exhausted')).toBeLessThan(message.text.indexOf('reports again'));
    expect(message.threads).toEqual(['f3', 'f1', 'f2']);
  });

  test('tells what began and ended meanwhile as over', () => {
    expect(messageOf([NEWS, { ...NEWS, state: 'resolved', title: 'Disk is back' }], PAGE)).toMatchObject({
      state: 'resolved',
      title: 'Disk is back',
    });
  });

  test('has a key that does not depend on the order of the news', () => {
    const other = { ...NEWS, firing: 'f2' };
    expect(messageOf([NEWS, other], PAGE).key).toBe(messageOf([other, NEWS], PAGE).key);
    expect(messageOf([NEWS, other], PAGE).key).not.toBe(messageOf([NEWS, { ...other, state: 'resolved' }], PAGE).key);
  });
});
