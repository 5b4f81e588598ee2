import { Type } from 'typebox';
import { defineCollector, reasonOf, type Attributes, type Clock, type Emit, type Logger } from '#sdk';
import { findProgram, runProgram } from '../programs/index.ts';
import { parseReport, parseScan, type Device, type DiskReport } from './report.ts';

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 1_048_576;

/** Disks beyond this many are left out: a shelf of them has a controller that is asked instead. */
const MOST_DISKS = 128;

/** Asks smartctl; its exit status tells also of disks that are ill, which is an answer. */
function createAsk(program: string, clock: Clock) {
  return (args: readonly string[], signal: AbortSignal): Promise<string> =>
    runProgram({
      command: [program, '--json', ...args],
      timeoutMs: TIMEOUT_MS,
      mostBytes: MOST_BYTES,
      signal,
      clock,
    }).then(({ output, code, complaint }) => {
      if (output.trim() === '')
        throw new Error(`smartctl printed nothing and ended with ${code ?? 'a signal'}: ${complaint}`);
      return output;
    });
}

/** An agent without root's rights may not ask disks, which is the usual case and no fault. */
const DENIED = /permission denied|operation not permitted/i;

/** Tells once that disks may not be asked. */
function createNotice(log: Logger): (device: string, reason: string) => void {
  let isTold = false;
  return (device, reason) => {
    if (!isTold) log.info('disks tell their health to root only, so it is not read', { device, reason });
    isTold = true;
  };
}

function emitReport(emit: Emit, { name }: Device, report: DiskReport): void {
  const plain: Attributes = {
    'hw.id': name,
    'hw.type': 'physical_disk',
    'hw.name': name.replace(/^\/dev\//, ''),
    ...(report.model === undefined ? {} : { 'hw.model': report.model }),
    ...(report.serial === undefined ? {} : { 'hw.serial_number': report.serial }),
  };
  if (report.passed !== undefined) {
    emit('hw.status', report.passed ? 1 : 0, { ...plain, 'hw.state': 'ok' });
    emit('hw.status', report.passed ? 0 : 1, { ...plain, 'hw.state': 'predicted_failure' });
  }
  if (report.celsius !== undefined) emit('hw.temperature', report.celsius, plain);
  if (report.powerOnHours !== undefined) emit('hw.physical_disk.power_on_time', report.powerOnHours * 3600, plain);
  if (report.spareLeft !== undefined) emit('hw.physical_disk.spare_utilization', report.spareLeft, plain);
  const remaining = { ...plain, 'hw.physical_disk.state': 'remaining' };
  if (report.enduranceLeft !== undefined)
    emit('hw.physical_disk.endurance_utilization', report.enduranceLeft, remaining);
  for (const [attribute, value] of Object.entries(report.attributes))
    emit('hw.physical_disk.smart', value, { ...plain, 'hw.physical_disk.smart_attribute': attribute });
  for (const [type, count] of Object.entries(report.errors)) emit('hw.errors', count, { ...plain, 'error.type': type });
}

/** Health of disks, as they tell it themselves. */
export const smart = defineCollector({
  name: 'smart',
  summary:
    'Reads the health that disks tell of themselves (SMART), with smartctl. Without that program, without root’s rights and for disks that sleep, it tells nothing.',
  platforms: ['linux'],
  intervalSeconds: 3600,
  config: Type.Object(
    {
      exclude: Type.Array(Type.String({ format: 'regex' }), {
        default: [],
        description: 'Regular expressions; a device whose name, such as `/dev/sda`, matches one is left out.',
      }),
    },
    { additionalProperties: false },
  ),
  lacks: (_config, root) =>
    findProgram(root, 'smartctl') === undefined
      ? 'smartctl is not installed; it is in the package smartmontools'
      : undefined,
  create({ config, root, clock, log }) {
    const tellDenied = createNotice(log);
    const exclude = config.exclude.map((pattern) => new RegExp(pattern));
    return {
      async collect(emit, signal) {
        const program = findProgram(root, 'smartctl');
        if (program === undefined) return;
        const ask = createAsk(program, clock);
        const devices = parseScan(await ask(['--scan'], signal))
          .filter(({ name }) => name.startsWith('/dev/') && !exclude.some((pattern) => pattern.test(name)))
          .slice(0, MOST_DISKS);
        const faults: string[] = [];
        // One after the other: asked at once, the disks behind one controller wait for each other.
        for (const device of devices) {
          try {
            const text = await ask(['--all', '--nocheck=standby', `--device=${device.type}`, device.name], signal);
            const report = parseReport(text);
            if (report !== 'asleep') emitReport(emit, device, report);
          } catch (error) {
            const reason = reasonOf(error);
            if (DENIED.test(reason)) tellDenied(device.name, reason);
            else faults.push(`${device.name}: ${reason}`);
          }
        }
        if (faults.length > 0) throw new Error(faults.join('; '));
      },
    };
  },
});
