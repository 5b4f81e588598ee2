import { expect, test } from 'vitest';
import { Level } from '#proto/agent/v1/index.ts';
import { readEntry, timeOfCursor } from './entry.ts';

const entry = (fields: Record<string, unknown>) =>
  readEntry(JSON.stringify({ __CURSOR: 's=1', __REALTIME_TIMESTAMP: '1769860000123456', ...fields }));

test('an entry has its unit, its time to the millisecond, its severity and what wrote it', () => {
  const found = entry({
    MESSAGE: 'started',
    PRIORITY: '4',
    _SYSTEMD_UNIT: 'nginx.service',
    SYSLOG_IDENTIFIER: 'nginx',
    _TRANSPORT: 'syslog',
    _HOSTNAME: 'web-1',
  });
  expect(found).toMatchObject({
    cursor: 's=1',
    source: 'journal:nginx.service',
    line: {
      text: Buffer.from('started'),
      timeMs: 1_769_860_000_123,
      level: Level.WARN,
      attributes: { 'host.name': 'web-1', 'journald.transport': 'syslog', 'syslog.appname': 'nginx' },
    },
  });
});

test.each([
  ['0', 'syslog', Level.FATAL],
  ['3', 'stdout', Level.ERROR],
  ['6', 'journal', Level.INFO],
  ['7', 'kernel', Level.DEBUG],
  ['6', 'stdout', undefined], // A service's print: its text may say more.
])('priority %s of %s is level %s', (PRIORITY, _TRANSPORT, level) =>
  expect(entry({ MESSAGE: 'x', PRIORITY, _TRANSPORT })?.line.level).toBe(level),
);

test.each([
  [{ _SYSTEMD_UNIT: 'a.service' }, 'a.service'],
  [{ _SYSTEMD_UNIT: 'init.scope', _PID: '1', UNIT: 'b.service' }, 'b.service'],
  [{ _SYSTEMD_UNIT: 'init.scope', _PID: '2', UNIT: 'b.service' }, 'init.scope'],
  [{ _SYSTEMD_UNIT: 'session-123.scope' }, 'session.scope'],
  [{ _SYSTEMD_UNIT: 'run-r0123.service' }, 'run.service'],
  [{ _TRANSPORT: 'kernel', SYSLOG_IDENTIFIER: 'kernel' }, 'kernel'],
  [{ SYSLOG_IDENTIFIER: 'cron' }, 'cron'],
  [{}, 'others'],
  [{ _SYSTEMD_UNIT: 'x'.repeat(5000) }, 'x'.repeat(200)],
])('%j is of the unit %s', (fields, unit) => expect(entry(fields)?.unit).toBe(unit));

test.each([
  [[104, 105, 255], Buffer.from([104, 105, 255])],
  [['first', 'second'], Buffer.from('first')],
  [[[104, 105], 'x'], Buffer.from('hi')],
  [null, Buffer.alloc(0)],
  [{ a: 1 }, Buffer.alloc(0)],
])('the message %j is read', (MESSAGE, text) => expect(entry({ MESSAGE })?.line.text).toEqual(text));

test('what is no entry is none, and a cursor may tell its time', () => {
  for (const line of ['', '{', 'null', '[]', '{"MESSAGE":"x"}', '{"__CURSOR":1}'])
    expect(readEntry(line)).toBeUndefined();
  expect(timeOfCursor('s=f7;i=3;b=0f;m=1e8485;t=649ada4b8ac80;x=35')).toBe(1_769_860_002_000);
  expect(timeOfCursor('nothing')).toBeUndefined();
});
