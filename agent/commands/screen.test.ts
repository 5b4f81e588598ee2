import { expect, test } from 'vitest';
import type { Status } from '../status.ts';
import { bytesText, screenOf, type TopView } from './screen.ts';

const status: Status = {
  running: true, pid: 1, agentId: 'agent-1', hub: 'hub.example.com:4320', connected: true, reason: '', writtenMs: 10_000,
  lastAckMs: 9000, spoolBytes: 2_500_000, spoolFull: false, linesRead: 500, linesDropped: 0, drops: {}, sources: [], moreSources: 0, linesCarried: 0, linesSpooled: 500,
  linesWaiting: 7, linesAcknowledged: 493, linesLost: 0, skewMs: 0,
  dropped: { 'spool-full': { runs: 0, samples: 0 }, 'disk-stuck': { runs: 0, samples: 0 } },
  pressure: [], stretch: 1, budgets: [], series: { largest: [], overflowing: [] },
  detection: null,
  pushed: null,
  settings: { file: '/etc/outrider/outrider-agent.yaml', sinceMs: 0, faults: [], awaitRestart: [] },
  files: ['/var/log/app.log', '/var/log/syslog'],
}; // prettier-ignore
const view: TopView = {
  nowMs: 11_000,
  hostname: 'web-1',
  status,
  running: true,
  before: { ...status, writtenMs: 5000, linesRead: 250, linesAcknowledged: 243 },
  values: new Map([
    ['system.cpu.busy', 0.5],
    ['system.memory.utilization system.memory.state=used', 0.95],
    ['system.memory.limit', 16e9],
    [
      'system.filesystem.utilization system.device=vda1 system.filesystem.mountpoint=/ system.filesystem.type=ext4',
      0.4,
    ],
    [
      'system.filesystem.utilization system.device=vdb system.filesystem.mountpoint=/data system.filesystem.type=xfs',
      0.7,
    ],
    ['system.disk.io system.device=sda disk.io.direction=read', 5_000_000],
  ]),
  valuesBefore: new Map([['system.disk.io system.device=sda disk.io.direction=read', 1_000_000]]),
  seconds: 2,
  unfit: [],
};
const plain = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/\u001b\[\d+m/g, ''));

test('the screen tells rates of the machine and of the agent, and what is followed', () => {
  const text = plain(screenOf(view, 100, 40)).join('\n');
  expect(text).toContain('connected to hub.example.com:4320, acknowledged 2 s ago');
  expect(text).toMatch(/cpu +█{12}░{12} {2}50 %/);
  expect(text).toMatch(/fullest +█+░+ +70 % +\/data/);
  expect(text).toContain('disk     read 2.0 MB/s, write 0 B/s');
  expect(text).toContain('read 50/s, acknowledged 50/s, waiting 7, lost 0');
  expect(text).toContain('  /var/log/app.log');
});

test('what a person must see is red: memory at its end, a lost hub, lost lines, faulty settings', () => {
  const faults = ['agent.yaml:3:1: logs: must be array', 'agent.yaml:4:1: drop: must be array'];
  const fault = { ...status.settings, faults };
  const bad = { ...status, connected: false, reason: 'nobody listens', linesLost: 3, settings: fault };
  const text = screenOf({ ...view, status: bad }, 200, 40).join('\n');
  for (const words of [
    'not connected to',
    'lost 3',
    '/etc/outrider/outrider-agent.yaml on the disk is NOT',
    ...faults,
    '███',
  ])
    expect(text).toContain(`\u001b[31m${words}`);
  expect(screenOf({ ...view, running: false, unfit: ['a: no'] }, 100, 40)[2]).toBe('\u001b[31ma: no\u001b[0m');
  expect(screenOf({ ...view, running: false }, 100, 40)[1]).toContain('\u001b[31mthe agent is not running');
});

test('it fits a small terminal, and says how much does not', () => {
  const lines = plain(screenOf(view, 20, 6));
  expect(lines).toHaveLength(6);
  expect(lines.every((line) => line.length <= 20)).toBe(true);
  expect(lines[5]).toMatch(/^… \d+ more$/);
});

test('without an agent it shows the machine', () => {
  const text = plain(screenOf({ ...view, status: undefined, running: false }, 100, 40)).join('\n');
  expect(text).toContain('no agent has run with this data folder');
  expect(text).toContain('cpu');
});

test.each([[0, '0 B'], [999, '999 B'], [1500, '1.5 kB'], [2e6, '2.0 MB'], [3.25e9, '3.3 GB']])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
}); // prettier-ignore
