// Real faults on this machine, while it serves: how long after each its event is told, and whether the right metric is among its first three causes.
//   faults.ts [--warm MINUTES] [--rounds N] [--length SECONDS] [--only 'cpu hog'] [--keep FOLDER] [--learnt FOLDER]   as root on Linux, after `make build`; nothing leaves the machine
// `keep` leaves what was learnt in a folder, from which `learnt` goes on another time instead of watching first.
// A server with a client behind a network of its own is watched by the built agent for `warm` minutes. Then each fault is done to it while an agent
// goes on from what the first one learnt, so that no fault teaches the next: a minute of peace, the fault, what was told until it ended.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTestAuthority } from '#kit/authority.ts';
import { startProgram, type Program } from '#kit/programs.ts';
import { AnomalyKind, type AnomalyEvent } from '#proto/agent/v1/index.ts';
import { systemClock } from '#sdk';
import { keepIdentity } from '../../agent/link/identity.ts';
import { startSmallHub } from '../kit/small-hub.ts';
import { FAULTS, type Fault } from './quiet.ts';

type Kind = Fault['kind'];

const { values } = parseArgs({
  options: {
    warm: { type: 'string', default: '45' },
    rounds: { type: 'string', default: '3' },
    length: { type: 'string', default: '90' },
    peace: { type: 'string', default: '70' },
    only: { type: 'string' },
    keep: { type: 'string' },
    learnt: { type: 'string' },
    inside: { type: 'boolean', default: false },
  },
});
const [WARM, ROUNDS, LENGTH, PEACE] = [values.warm, values.rounds, values.length, values.peace].map(Number) as [number, number, number, number]; // prettier-ignore
const [HOST, CLIENT] = ['outrider-faults', 'outrider-client'];
const [SERVER_ADDRESS, CLIENT_ADDRESS] = ['10.91.0.1', '10.91.0.2'];

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Two networks of this machine with one cable between them. */
function layCable(): void {
  for (const name of [HOST, CLIENT]) ip('netns', 'add', name);
  ip('link', 'add', 'eth0', 'netns', HOST, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', CLIENT);
  for (const [name, address] of [
    [HOST, SERVER_ADDRESS],
    [CLIENT, CLIENT_ADDRESS],
  ] as const) {
    ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up');
  }
}

const node = (script: string, ...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, ['-e', script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

/** A server that reckons, reads, writes and logs, as much as its callers ask for. */
const SERVER = `const [log, data, at] = process.argv.slice(1);
const { appendFileSync, writeFile, readFile } = require('node:fs'), { pbkdf2 } = require('node:crypto');
let n = 0;
require('node:http').createServer((request, response) => {
  const work = Number(new URL(request.url, 'http://x').searchParams.get('work'));
  pbkdf2('secret', 'salt', work, 32, 'sha256', () => {
    const ms = work / 1000, id = n++;
    if (id % 7 === 0) writeFile(data + '/item-' + (id % 50), Buffer.alloc(20_000 + work, id), () => undefined);
    if (id % 5 === 0) readFile(data + '/item-' + (id % 50), () => undefined);
    appendFileSync(log, new Date().toISOString() + ' INFO request ' + id + ' of customer ' + (id % 97) + ' took ' + ms.toFixed(1) + ' ms, status 200\\n');
    response.end(Buffer.alloc(2000 + work * 4, 'x'));
  });
}).listen(8000, at);`;

/** Callers that come at random, in a number that wanders, with a burst now and then; each minute a small job. */
const CLIENTS = `const [at] = process.argv.slice(1);
const http = require('node:http'), agent = new http.Agent({ keepAlive: true, maxSockets: 40 });
let wander = 0, burst = 0;
const call = () => http.get({ host: at, port: 8000, agent, timeout: 10_000, path: '/?work=' + Math.floor(200 + 3000 * Math.random() ** 3) }, (answer) => answer.resume()).on('error', () => undefined);
const next = () => { call(); setTimeout(next, -Math.log(1 - Math.random()) * 1000 / (25 * Math.exp(wander) + burst)); };
setInterval(() => { wander = 0.98 * wander + 0.05 * (Math.random() + Math.random() - 1); burst = Math.random() < 1 / 200 ? 60 : burst * 0.8; }, 1000);
setInterval(() => { for (let n = 0; n < 30; n++) call(); }, 60_000);
next();`;

/** What is done to the host. Each is bounded and ends with its process. */
const SCRIPTS: Readonly<Record<Exclude<Kind, 'packet loss'>, string>> = {
  'cpu hog': 'for (;;);',
  'memory leak': `const kept = []; setInterval(() => { if (kept.length < 400) kept.push(Buffer.alloc(8_000_000, kept.length)); }, 250);`,
  'disk fill': `const [log, data] = process.argv.slice(1), fs = require('node:fs'), file = fs.openSync(data + '/fill', 'w'), part = Buffer.alloc(8_000_000, 1);
    let n = 0; setInterval(() => { if (n++ < 1500) fs.writeSync(file, part); }, 100);`,
  'i/o storm': `const [log, data] = process.argv.slice(1), fs = require('node:fs/promises'), part = Buffer.alloc(65_536, 2);
    for (let k = 0; k < 8; k++) void (async () => { const file = await fs.open(data + '/storm-' + k, 'w'); for (let n = 0; ; n++) { await file.write(part, 0, part.length, (n % 2000) * 65_536); await file.datasync(); } })();`,
  'crash loop': `const { spawn } = require('node:child_process'); setInterval(() => spawn('/bin/sh', ['-c', 'exit 1']), 120);`,
  'error burst': `const [log] = process.argv.slice(1), fs = require('node:fs'); let n = 0;
    setInterval(() => fs.appendFileSync(log, new Date().toISOString() + ' ERROR payment ' + n++ + ' failed: no answer from 10.0.0.5:5432 after 3 tries\\n'), 70);`,
};

/** Begins a fault and returns what ends it. */
function begin(kind: Kind, folder: string): () => void {
  if (kind === 'packet loss') {
    const line = ['-n', HOST, 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', 'rate', '900kbit', 'burst', '6kb', 'limit', '9kb']; // prettier-ignore
    execFileSync('tc', line);
    return () => void execFileSync('tc', ['-n', HOST, 'qdisc', 'del', 'dev', 'eth0', 'root']);
  }
  const fault = node(SCRIPTS[kind], join(folder, 'app.log'), join(folder, 'server'));
  return () => {
    fault.kill('SIGKILL');
    for (const left of ['fill', ...Array.from({ length: 8 }, (_, n) => `storm-${n}`)])
      rmSync(join(folder, 'server', left), { force: true });
  };
}

interface Outcome {
  kind: Kind;
  /** Seconds from the fault to the word of it; undefined when there was none. */
  after: number | undefined;
  /** Place of the first right cause, from 1; 0 where none of the ten is. */
  cause: number;
  /** Whether an event was open before the fault began. */
  wasOpen: boolean;
}

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-faults-'));
  for (const name of ['server', 'agent']) mkdirSync(join(folder, name), { mode: 0o700 });
  writeFileSync(join(folder, 'app.log'), '');
  let told: { at: number; event: AnomalyEvent }[] = [];
  const authority = await createTestAuthority();
  const hub = await startSmallHub(authority, () => Promise.resolve(), {
    anomalies: (events) => events.forEach((event) => told.push({ at: systemClock.now(), event })),
  });
  const { key, certificate } = await authority.agent('agent');
  const first = join(folder, 'agent');
  if (values.learnt !== undefined) cpSync(values.learnt, first, { recursive: true });
  keepIdentity(first, { agentId: 'agent', link: hub.address, key, certificate, ca: authority.ca });
  const settings = { ownLog: false, logs: [{ include: [join(folder, 'app.log')], start: 'end' }] };
  writeFileSync(join(first, 'outrider-agent.yaml'), JSON.stringify(settings));
  const agentOf = (data: string): Program => startProgram('agent', ['run', '--quiet', '--data', data]);
  const server = node(SERVER, join(folder, 'app.log'), join(folder, 'server'), SERVER_ADDRESS);
  const clients = spawn('ip', ['netns', 'exec', CLIENT, process.execPath, '-e', CLIENTS, SERVER_ADDRESS], { stdio: 'ignore' }); // prettier-ignore
  const end = (): void => {
    server.kill('SIGKILL');
    clients.kill('SIGKILL');
    hub.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  process.once('exit', end);

  const hostEvents = () => told.filter(({ event }) => event.kind === AnomalyKind.HOST);
  const teacher = values.learnt === undefined ? agentOf(first) : undefined;
  for (let minute = 0; teacher !== undefined && minute < WARM; minute++) {
    await systemClock.sleep(60_000);
    if (minute % 10 === 9) say(`watched for ${minute + 1} of ${WARM} minutes; load ${loadavg()[0]?.toFixed(1)}`);
  }
  await teacher?.stop();
  if (values.keep !== undefined) cpSync(first, values.keep, { recursive: true });
  say(`events meanwhile: ${new Set(hostEvents().map(({ event }) => event.id)).size}`);

  const outcomes: Outcome[] = [];
  const kinds = (Object.keys(FAULTS) as Kind[]).filter((kind) => values.only === undefined || kind === values.only);
  for (let round = 0; round < ROUNDS; round++)
    for (const kind of kinds) {
      const data = join(folder, 'run');
      cpSync(first, data, { recursive: true });
      rmSync(join(data, 'spool'), { recursive: true, force: true }); // Its numbers are taken: the hub would believe it had had them.
      told = [];
      const agent = agentOf(data);
      await systemClock.sleep(PEACE * 1000);
      const before = hostEvents().at(-1)?.event;
      const wasOpen = before?.endMs === 0n;
      if (before !== undefined)
        say(`  in the minute of peace: ${before.causes.map(({ metric, attributes, surprise, channel, value, expected }) => `${metric}${JSON.stringify(attributes)} ${channel} ${surprise.toFixed(1)} nats, ${value.toPrecision(3)} for ${expected.toPrecision(3)}`).join('; ')}`); // prettier-ignore
      const begun = systemClock.now();
      const stop = begin(kind, folder);
      for (let second = 0; second < LENGTH; second++) await systemClock.sleep(1000);
      stop();
      // An error that was never seen is told as a new kind of line, and at once.
      const since = told.filter(
        ({ at, event: { kind: of, endMs } }) =>
          at >= begun && ((of === AnomalyKind.HOST && endMs === 0n) || of === AnomalyKind.TEMPLATE_NEW),
      );
      const found = since[0];
      const last = since.at(-1)?.event.causes.map(({ metric }) => metric) ?? [];
      const cause = last.findIndex((metric) => FAULTS[kind].test(metric)) + 1;
      outcomes.push({ kind, after: found && (found.at - begun) / 1000, cause, wasOpen });
      say(
        `${kind.padEnd(12)} ${wasOpen ? '(an event was open before) ' : ''}${found === undefined ? 'not told' : `told after ${((found.at - begun) / 1000).toFixed(0)} s, right cause at ${cause}: ${last.slice(0, 3).join(', ')}`}; load ${loadavg()[0]?.toFixed(1)}`,
      );
      await agent.stop();
      rmSync(data, { recursive: true });
      await systemClock.sleep(20_000);
    }
  const clear = outcomes.filter(({ wasOpen }) => !wasOpen);
  const soon = clear.filter(({ after = Infinity }) => after <= 60).length;
  const all = clear.filter(({ after }) => after !== undefined);
  const right = all.filter(({ cause }) => cause >= 1 && cause <= 3).length;
  say(`of ${clear.length} faults ${soon} told within 60 s, ${all.length} at all; right metric among the first three causes of ${right}`); // prettier-ignore
  if (clear.length < outcomes.length)
    say(`${outcomes.length - clear.length} could not be judged: an event was open before`);
  process.exit(0);
}

if (values.inside) await measure();
else {
  layCable();
  try {
    const args = [...process.execArgv, ...process.argv.slice(1), '--inside'];
    const inside = spawn('ip', ['netns', 'exec', HOST, process.execPath, ...args], { stdio: 'inherit' });
    // The one inside ends, and then this one.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => inside.kill(signal));
    await new Promise((resolve) => inside.once('exit', resolve));
  } finally {
    for (const name of [HOST, CLIENT]) ip('netns', 'del', name);
  }
}
