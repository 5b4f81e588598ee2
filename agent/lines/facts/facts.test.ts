import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Level } from '#proto/agent/v1/index.ts';
import { createZone, factsOf, type FoundFormat, type LineFormat } from './index.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 30);
const UTC = createZone('UTC');
const facts = (line: string, format: LineFormat = 'auto', nowMs = NOW, zone = UTC) =>
  factsOf(line, format, { zone, nowMs });

test.each<[string, Level, FoundFormat]>([
  ['{"time":"2026-01-31T12:00:00.000Z","level":"warn","msg":"x"}', Level.WARN, 'json'],
  ['{"level":50,"msg":"x"}', Level.ERROR, 'json'],
  ['{"ctx":{"level":"high","a":["}"]},"msg":"say \\"level\\":\\"info\\"", "level": "error"}', Level.ERROR, 'json'],
  ['{"version":"1.1","host":"a","short_message":"x","level":4}', Level.WARN, 'json'],
  ['{"message":"x","level":200,"level_name":"INFO"}', Level.INFO, 'json'],
  ['{"@t":"2026-01-31T12:00:00Z","@m":"x","@l":"Fatal"}', Level.FATAL, 'json'],
  ['{"t":{"$date":"2026-01-31T12:00:00.000+00:00"},"s":"W","c":"NETWORK"}', Level.WARN, 'json'],
  ['{"severity":"NOTICE","message":"x"}', Level.INFO, 'json'],
  ['{"level":{"a":1}}', Level.UNSPECIFIED, 'json'],
  ['{"level":', Level.UNSPECIFIED, 'json'],
  ['{not json ERROR', Level.UNSPECIFIED, 'json'],
  ['ts=2026-01-31T12:00:00Z level=error msg="error=none"', Level.ERROR, 'logfmt'],
  ['msg="a level=debug b" lvl=warn', Level.WARN, 'logfmt'],
  ['E0131 12:00:00.000000 1 main.go:1] boom', Level.ERROR, 'klog'],
  ['2026-01-31 12:00:00,123 INFO [main] started', Level.INFO, 'plain'],
  ['[2026-01-31 12:00:00] app.CRITICAL: gone', Level.FATAL, 'plain'],
  ['[Sat Jan 31 12:00:00.123456 2026] [core:error] [pid 1] x', Level.ERROR, 'plain'],
  ['2026/01/31 12:00:00 [error] 7#7: *1 open() failed', Level.ERROR, 'plain'],
  ['2026-01-31 12:00:00.123 UTC [12] FATAL:  the database system is starting up', Level.FATAL, 'plain'],
  ['<11>Jan 31 12:00:00 host app: x', Level.ERROR, 'syslog'],
  ['<165>1 2026-01-31T12:00:00.003Z host app 1 ID47 - x', Level.INFO, 'syslog'],
  ['Jan 31 12:00:00 host kernel: WARNING: CPU: 1', Level.WARN, 'syslog'],
  ['10.0.0.1 - bob [31/Jan/2026:12:00:00 +0000] "GET /a\\"b HTTP/1.1" 503 12 "-" "curl"', Level.ERROR, 'clf'],
  ['::1 - - [31/Jan/2026:12:00:00 +0000] "GET / HTTP/1.1" 404 12', Level.WARN, 'clf'],
  ['2026-01-31T12:00:00Z level=warn msg="x"', Level.WARN, 'plain'],
  ['2026-01-31T12:00:00Z level=info msg="an error here"', Level.INFO, 'plain'],
  ['2026-01-31T12:00:00Z msg="level=fatal here" level=info', Level.INFO, 'plain'],
  ['2026/01/31 12:00:00 severity="ERROR" x', Level.ERROR, 'plain'],
  ['2026-01-31 12:00:00 ERROR level=debug', Level.ERROR, 'plain'],
  ['2026-01-31T12:00:00Z log.level=30 x', Level.INFO, 'plain'],
  ['Jan 31 12:00:00 host dockerd[1]: time="2026-01-31T12:00:00Z" level=warning msg="x"', Level.WARN, 'syslog'],
  ['2026-01-31T12:00:00.000+00:00 host app[1]: level=error msg=x', Level.ERROR, 'plain'],
  ['2026-01-31 12:00:00 GET /x?level=error&y=1 200', Level.UNSPECIFIED, 'plain'],
  ['2026-01-31T12:00:00Z WRN zerolog', Level.WARN, 'plain'],
  ['[12:00:00 INF] serilog', Level.INFO, 'plain'],
  ['WARN[0000] logrus', Level.WARN, 'plain'],
  ['2026-01-31 12:00:00 1 [Warning] mysql', Level.WARN, 'plain'],
  ['ERROR:root:python', Level.ERROR, 'plain'],
  ['2026-01-31 12:00:00,123 - root - ERROR - x', Level.ERROR, 'plain'],
  ['2026-01-31 12:00:00.123  WARN 1 --- [main] o.s.Boot : x', Level.WARN, 'plain'],
  ['[2026-01-31T12:00:00,000][WARN ][o.e.x] [node] x', Level.WARN, 'plain'],
  ['no level here, only errors in words', Level.UNSPECIFIED, 'plain'],
  ['information about a debugger', Level.UNSPECIFIED, 'plain'],
  ['', Level.UNSPECIFIED, 'plain'],
])('finds the level of %s', (line, level, format) => expect(facts(line)).toMatchObject({ level, format }));

const AT = Date.UTC(2026, 0, 31, 12);
test.each([
  ['2026-01-31T12:00:00.250Z x', AT + 250],
  ['2026-01-31 13:00:00+01:00 x', AT],
  ['2026-01-31T12:00:00.123456789Z x', AT + 123],
  ['[2026-01-31 12:00:00,5] x', AT + 500],
  ['2026/01/31 12:00:00 [error] nginx', AT],
  ['2026/01/31 12:00:00.123456 go', AT + 123],
  ['127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET /"', AT],
  ['31-Jan-2026 12:00:00.123 INFO [main] Tomcat', AT + 123],
  ['1:M 31 Jan 2026 12:00:00.123 * Redis', AT + 123],
  ['Jan 31, 2026 12:00:00 PM java.util.logging', AT],
  ['[Sat Jan 31 12:00:00.123456 2026] [core:error] Apache', AT + 123],
  ['Sat Jan 31 12:00:00 UTC 2026 date', AT],
  ['Jan 31 12:00:00 host app: x', AT],
  ['<165>1 2026-01-31T12:00:00.003Z host app', AT + 3],
  ['I0131 12:00:00.123456 1 a.go:1] x', AT + 123],
  [`${AT / 1000}.250 45 10.0.0.1 TCP_MISS/200`, AT + 250],
  [`${AT + 7} x`, AT + 7],
  [`{"ts":${AT / 1000}.25,"msg":"zap"}`, AT + 250],
  [`{"level":30,"time":${AT + 1},"msg":"pino"}`, AT + 1],
  [`{"instant":{"epochSecond":${AT / 1000},"nanoOfSecond":250000000},"level":"INFO"}`, AT + 250],
  ['{"t":{"$date":"2026-01-31T12:00:00.250+00:00"},"s":"I"}', AT + 250],
  ['{"msg":"at 2026-01-31T11:00:00Z","@timestamp":"2026-01-31T12:00:00.000Z"}', AT],
  ['time="2026-01-31T12:00:00Z" level=info msg=x', AT],
  ['no time', NOW],
  ['1999-01-01T00:00:00Z a date in the text', NOW],
  ['2031-01-01T00:00:00Z from the future', NOW],
  ['2026-13-41T12:00:00Z no day', NOW],
])('finds the time of %s', (line, time) => expect(facts(line).timeMs).toBe(time));

test('times without a zone are of the zone that was named, also over a change of its clocks', () => {
  const berlin = createZone('Europe/Berlin');
  const now = Date.UTC(2026, 2, 29, 3);
  expect(facts('2026-03-29 01:59:59 x', 'auto', now, berlin).timeMs).toBe(Date.UTC(2026, 2, 29, 0, 59, 59));
  expect(facts('2026-03-29 03:00:00 x', 'auto', now, berlin).timeMs).toBe(Date.UTC(2026, 2, 29, 1));
  expect(facts('2026-03-29T01:59:59Z x', 'auto', now, berlin).timeMs).toBe(Date.UTC(2026, 2, 29, 1, 59, 59));
});

test('without a name it is the zone of the host', () => {
  const local = new Date(NOW);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const wall = `${local.getFullYear()}-${pad(local.getMonth() + 1)}-${pad(local.getDate())} ${pad(local.getHours())}:${pad(local.getMinutes())}:30`;
  expect(facts(wall, 'auto', NOW + 1, createZone()).timeMs).toBe(NOW);
});

test('a line of December, read in January, is of last year, and one of New Year read a little early is of the next', () => {
  expect(facts('Dec 31 23:59:59 host app: x', 'auto', Date.UTC(2026, 0, 1, 0, 0, 5)).timeMs).toBe(
    Date.UTC(2025, 11, 31, 23, 59, 59),
  );
  expect(facts('Jan  1 00:00:01 host app: x', 'auto', Date.UTC(2025, 11, 31, 23, 59, 59)).timeMs).toBe(
    Date.UTC(2026, 0, 1, 0, 0, 1),
  );
});

test('a format that is set is the only one, and what is not written so is plain', () => {
  expect(facts('level=error a=b', 'json')).toMatchObject({ format: 'plain' });
  expect(facts('  {"level":"error"}', 'json')).toMatchObject({ format: 'json', level: Level.ERROR });
});

test('no line makes it throw or give a time that is no number', () => {
  const line = fc.oneof(
    fc.string({ maxLength: 500 }),
    fc.json().map((text) => `{"time":${text},"level":${text}}`),
    fc.stringMatching(/^[{}[\]"\\:,0-9a-z= -]{0,200}$/),
  );
  fc.assert(
    fc.property(
      line,
      fc.constantFrom<LineFormat>('auto', 'json', 'logfmt', 'syslog', 'clf', 'klog', 'plain'),
      (text, format) => {
        const { level, timeMs } = facts(text, format);
        expect(Number.isFinite(timeMs)).toBe(true);
        expect(level in Level).toBe(true);
      },
    ),
  );
});
