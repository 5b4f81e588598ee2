import { availableParallelism, platform } from 'node:os';
import { Type } from 'typebox';
import { defineCollector, reasonOf, type Emit } from '#sdk';
import {
  createIntern,
  emitDisks,
  emitLoad,
  emitLoadAverage,
  emitMemory,
  emitProcesses,
  emitSpace,
  emitTraffic,
  emitUptime,
  type Intern,
  type Traffic,
} from './readings.ts';

/** Loads both libraries at the first run: an agent on Linux never does. */
async function loadLibraries() {
  const [{ default: system }, { OSUtils }] = await Promise.all([import('systeminformation'), import('node-os-utils')]);
  return { system, utils: new OSUtils({ cacheEnabled: false }) };
}

type Libraries = Awaited<ReturnType<typeof loadLibraries>>;

/** One thing that is read on its own, so that a platform that does not tell it loses nothing else. */
type Part = (libraries: Libraries, emit: Emit, intern: Intern) => Promise<void>;

/** From node-os-utils, which tells packets too; from systeminformation where that needs rights that we lack. */
async function readTraffic({ system, utils }: Libraries): Promise<Traffic[]> {
  const result = await utils.network.statsAsync({ skipCache: true });
  if (result.success && result.data.length > 0) {
    return result.data.map((one) => ({
      name: one.interface,
      receive: {
        bytes: one.rxBytes.toBytes(),
        packets: one.rxPackets,
        errors: one.rxErrors,
        dropped: one.rxDropped,
      },
      transmit: {
        bytes: one.txBytes.toBytes(),
        packets: one.txPackets,
        errors: one.txErrors,
        dropped: one.txDropped,
      },
    }));
  }
  return (await system.networkStats('*')).map((one) => ({
    name: one.iface,
    receive: { bytes: one.rx_bytes, errors: one.rx_errors, dropped: one.rx_dropped },
    transmit: { bytes: one.tx_bytes, errors: one.tx_errors, dropped: one.tx_dropped },
  }));
}

const PARTS: readonly Part[] = [
  async ({ system }, emit, intern) => emitLoad(emit, await system.currentLoad(), intern),
  async ({ system }, emit, intern) => emitMemory(emit, await system.mem(), intern),
  async ({ system }, emit, intern) => emitSpace(emit, await system.fsSize(), intern),
  async ({ system }, emit, intern) => emitDisks(emit, await system.disksIO(), await system.fsStats(), intern),
  async (libraries, emit, intern) => emitTraffic(emit, await readTraffic(libraries), intern),
  async ({ utils }, emit) => {
    const load = await utils.cpu.loadAverage();
    if (load.success) emitLoadAverage(emit, load.data); // Windows has no such thing.
  },
  async ({ utils }, emit) => {
    const uptime = await utils.system.uptime();
    if (!uptime.success) throw uptime.error;
    emitUptime(emit, uptime.data.uptime);
  },
];

/** What macOS calls 100 % is one core, what the others do is all of them. */
const coresPerHundred = (): number => (platform() === 'darwin' ? 1 : availableParallelism());

/** Everything that macOS and Windows tell, under the names that Linux's collectors use. */
export const portable = defineCollector({
  name: 'portable',
  summary: 'Reads processor, memory, file systems, disks, network and processes where there is no /proc.',
  platforms: ['darwin', 'win32'],
  intervalSeconds: 10,
  config: Type.Object(
    {
      top: Type.Integer({
        default: 10,
        minimum: 0,
        maximum: 100,
        description: 'How many executables to list by processor time, and how many by memory; 0 lists no process.',
      }),
    },
    { additionalProperties: false },
  ),
  create({ config, log }) {
    const intern = createIntern();
    const cores = coresPerHundred();
    let libraries: Promise<Libraries> | undefined;
    const processes: Part = async ({ system }, emit) =>
      emitProcesses(emit, await system.processes(), { cores, top: config.top }, intern);
    const parts = config.top > 0 ? [...PARTS, processes] : PARTS;
    return {
      async collect(emit) {
        const loaded = await (libraries ??= loadLibraries());
        const results = await Promise.allSettled(parts.map((part) => part(loaded, emit, intern)));
        const faults = results.flatMap((result) => (result.status === 'rejected' ? [reasonOf(result.reason)] : []));
        if (faults.length === parts.length) throw new Error(`nothing could be read: ${faults.join('; ')}`);
        if (faults.length > 0) log.debug('a part could not be read', { faults });
      },
    };
  },
});
