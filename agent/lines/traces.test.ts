import { expect, test } from 'vitest';
import { splitEvents } from './joining.ts';
import { createTraceJoiner } from './traces.ts';

function eventsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const events: string[] = [];
  splitEvents(bytes, createTraceJoiner(), true, (start, end) => events.push(bytes.toString('utf8', start, end)));
  return events;
}

/** As the programs print them, each with lines around it that do not belong to it. */
const TRACES = {
  java: `2026-01-31 12:00:00.000 ERROR 1 --- [nio-8080-exec-1] o.a.c.c.C.[dispatcherServlet] : Servlet.service() threw
java.lang.IllegalStateException: no route
	at com.example.Router.find(Router.java:42) ~[app.jar:1.0]
	at java.base/java.lang.Thread.run(Thread.java:840)
	Suppressed: java.io.IOException: close
		at com.example.A.close(A.java:1)
Caused by: java.net.ConnectException: Connection refused
	at java.base/sun.nio.ch.Net.pollConnect(Native Method)
	... 31 common frames omitted`,
  uncaughtJava: `Exception in thread "main" java.lang.NullPointerException: Cannot invoke "String.length()"
	at com.example.Main.main(Main.java:5)`,
  python: `ERROR:root:it failed
Traceback (most recent call last):
  File "/app/a.py", line 3, in f
    return 1 / 0
           ~~^~~
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/a.py", line 7, in <module>
    g()
  [Previous line repeated 995 more times]
app.errors.WrappedError: wrapped`,
  pythonGroup: `  + Exception Group Traceback (most recent call last):
  |   File "/app/a.py", line 1, in <module>
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +------------------------------------`,
  go: `panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48e2f5]

goroutine 1 [running]:
main.(*server).handle(0x0, {0x4c1b60, 0xc00001c0a8})
	/app/main.go:12 +0x15
main.main()
	/app/main.go:7 +0x1d

goroutine 18 [chan receive, 2 minutes]:
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3285 +0x4b4
exit status 2`,
  goServer: `2026/01/31 12:00:00 http: panic serving 127.0.0.1:5000: boom
goroutine 18 [running]:
net/http.(*conn).serve.func1()
	/usr/local/go/src/net/http/server.go:1947 +0xbe`,
  node: `TypeError: Cannot read properties of undefined (reading 'x')
    at f (/app/a.js:1:2)
    at async Promise.all (index 0)
    at file:///app/b.mjs:3:4 {
  code: 'E_X',
  [cause]: Error: inner
      at g (/app/a.js:9:9)
}`,
  uncaughtNode: `/app/a.js:3
    throw new Error('boom');
    ^

Error: boom
    at Object.<anonymous> (/app/a.js:3:11)
    at node:internal/main/run_main_module:28:49

Node.js v20.20.2`,
  dotnet: `fail: Microsoft.AspNetCore.Server.Kestrel[13] ERROR unhandled
System.InvalidOperationException: no service
 ---> System.Exception: inner
   at App.B.Run() in /src/B.cs:line 5
   --- End of inner exception stack trace ---
   at App.A.Run() in /src/A.cs:line 12`,
  ruby: `a.rb:1:in \`f': boom (RuntimeError)
	from a.rb:5:in \`<main>'`,
  key: `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,00

MIIEpAIBAAKCAQEA7
-----END RSA PRIVATE KEY-----`,
};
const AROUND = [
  ['2026-01-31T12:00:00.000Z INFO before', '2026-01-31T12:00:01.000Z INFO after'],
  ['{"level":"info","msg":"before"}', '{"level":"info","msg":"after"}'],
  ['Jan 31 12:00:00 host app[1]: before', 'Jan 31 12:00:01 host app[1]: after'],
  ['INFO before', 'INFO after'],
  ['10.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 2', ''],
] as const;

test.each(Object.entries(TRACES))(
  'a trace of %s is one event, and what stands around it is none of it',
  (_of, trace) => {
    for (const [before, after] of AROUND)
      expect(eventsOf(`${before}\n${trace}\n${after}\n`)).toEqual([before, trace, after]);
  },
);

test('two traces one after another are two events', () => {
  const { uncaughtJava, go, pythonGroup, goServer } = TRACES;
  for (const trace of [uncaughtJava, go.replace('\nexit status 2', ''), pythonGroup, goServer])
    expect(eventsOf(`${trace}\nINFO between\n${trace}\n`)).toEqual([trace, 'INFO between', trace]);
});

test('ordinary lines stay by themselves', () => {
  const lines = [
    'INFO starting',
    '  indented by its writer',
    '',
    'NullPointerException was mentioned here',
    'Error rate: 3 %',
    'INFO fine',
    'java.lang.IllegalStateException: nobody complained before it',
    'Caused by nothing',
    'goroutine leak detector: ok',
    'panicking is not a panic',
    'Starting Foo.bar()',
    'at noon',
    'cat /etc/hosts:10',
    '-----',
    '{',
    '  "pretty": true',
    '}',
    '2026-01-31 12:00:00 WARN careful',
    'ValueError is a class',
  ];
  expect(eventsOf(`${lines.join('\n')}\n`)).toEqual(lines);
});

test('windows line ends make no difference', () => {
  const trace = TRACES.python.replaceAll('\n', '\r\n');
  expect(eventsOf(`INFO a\r\n${trace}\r\nINFO b\r\n`).map((text) => text.trim())).toEqual(['INFO a', trace, 'INFO b']);
});
