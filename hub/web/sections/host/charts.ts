import type { MetricName } from '#proto/metrics.ts';

/** Series of one metric that become lines of a chart. */
export interface Pick {
  name: MetricName;
  /** Attributes that tell the lines apart; without them all series are one line. */
  by?: readonly string[];
  /** An attribute that only other series carry: the total of all cores has no core. */
  without?: string;
  /** Values of the first of `by`, in the order of the legend. Others follow; those that are left out are in `omit`. */
  order?: readonly string[];
  omit?: readonly string[];
  /** Values that take a place in the palette of their own choice: what is left over is grey. */
  tint?: Readonly<Record<string, number>>;
  /** The label when there is nothing to tell apart, or what stands before it. */
  word?: string;
}

/** A chart of a host's page. */
export interface ChartDefinition {
  id: string;
  title: string;
  group: GroupId;
  picks: readonly Pick[];
  stack?: boolean;
  /** The axis reaches at least this far. */
  ceiling?: number;
  /** Another unit than that of its first metric. */
  unit?: string;
  /** Only so many lines, those that were highest. */
  top?: number;
}

/** Groups of charts, in the order of the page. */
export const GROUPS = [
  { id: 'cpu', name: 'CPU' },
  { id: 'memory', name: 'Memory' },
  { id: 'pressure', name: 'Pressure' },
  { id: 'disks', name: 'Disks' },
  { id: 'network', name: 'Network' },
  { id: 'processes', name: 'Processes' },
  { id: 'services', name: 'Services' },
  { id: 'containers', name: 'Containers' },
  { id: 'hardware', name: 'Hardware' },
  { id: 'system', name: 'System' },
  { id: 'agent', name: 'Agent' },
] as const;
/** Names a group. */
export type GroupId = (typeof GROUPS)[number]['id'];

const MODE = 'cpu.mode';
const CORE = 'cpu.logical_number';
const DISK = ['system.device', 'disk.io.direction'];
const CARD = ['network.interface.name', 'network.io.direction'];
const MOUNT = ['system.filesystem.mountpoint'];
const STALL = 'system.linux.pressure.utilization';
/** Grey. */
const FREE = { free: 7 };
const PROGRAM = ['process.executable.name'];
const UNIT = ['systemd.unit.name'];
const CONTAINER = ['container.name'];
const COMPONENT = ['hw.name'];
const stalls = (resource: string): Pick => ({
  name: STALL,
  by: ['system.linux.pressure.resource', 'system.linux.pressure.scope'],
  order: [resource],
  omit: ['cpu', 'memory', 'io'].filter((other) => other !== resource),
});

/** Every chart that a host can have, in the order of the page. Those without series are not shown. */
export const CHARTS: readonly ChartDefinition[] = [
  {
    id: 'cpu',
    title: 'CPU by mode',
    group: 'cpu',
    stack: true,
    ceiling: 1,
    picks: [
      {
        name: 'system.cpu.utilization',
        by: [MODE],
        without: CORE,
        order: ['user', 'system', 'iowait', 'nice', 'interrupt', 'steal'],
        omit: ['idle'],
      },
    ],
  },
  {
    id: 'cores',
    title: 'Busy by core',
    group: 'cpu',
    ceiling: 1,
    picks: [{ name: 'system.cpu.busy', by: [CORE], word: 'core' }],
  },
  {
    id: 'load',
    title: 'Load',
    group: 'cpu',
    picks: [
      { name: 'system.cpu.load_average.1m', word: '1 min' },
      { name: 'system.cpu.load_average.5m', word: '5 min' },
      { name: 'system.cpu.load_average.15m', word: '15 min' },
    ],
  },
  {
    id: 'memory',
    title: 'Memory by state',
    group: 'memory',
    stack: true,
    picks: [
      {
        name: 'system.memory.usage',
        by: ['system.memory.state'],
        order: ['used', 'buffers', 'cached', 'free'],
        tint: FREE,
      },
    ],
  },
  {
    id: 'available',
    title: 'Memory available',
    group: 'memory',
    picks: [{ name: 'system.linux.memory.available', word: 'available' }],
  },
  {
    id: 'faults',
    title: 'Page faults',
    group: 'memory',
    picks: [{ name: 'system.paging.faults', by: ['system.paging.type'], order: ['major', 'minor'] }],
  },
  {
    id: 'paging',
    title: 'Pages moved',
    group: 'memory',
    picks: [{ name: 'system.paging.operations', by: ['system.paging.direction'], order: ['in', 'out'] }],
  },
  {
    id: 'swap',
    title: 'Swap',
    group: 'memory',
    stack: true,
    picks: [{ name: 'system.paging.usage', by: ['system.paging.state'], order: ['used', 'free'], tint: FREE }],
  },
  { id: 'pressure-cpu', title: 'Stalled on CPU', group: 'pressure', picks: [stalls('cpu')] },
  { id: 'pressure-memory', title: 'Stalled on memory', group: 'pressure', picks: [stalls('memory')] },
  { id: 'pressure-io', title: 'Stalled on I/O', group: 'pressure', picks: [stalls('io')] },
  { id: 'disk-io', title: 'Disk throughput', group: 'disks', picks: [{ name: 'system.disk.io', by: DISK }] },
  {
    id: 'disk-operations',
    title: 'Disk operations',
    group: 'disks',
    picks: [{ name: 'system.disk.operations', by: DISK }],
  },
  {
    id: 'disk-busy',
    title: 'Disk busy',
    group: 'disks',
    picks: [{ name: 'system.disk.utilization', by: ['system.device'] }],
  },
  {
    id: 'disk-time',
    title: 'Time in disk operations',
    group: 'disks',
    picks: [{ name: 'system.disk.operation_time', by: DISK }],
  },
  {
    id: 'space',
    title: 'File systems, used',
    group: 'disks',
    ceiling: 1,
    picks: [{ name: 'system.filesystem.utilization', by: MOUNT }],
  },
  {
    id: 'inodes',
    title: 'Inodes, used',
    group: 'disks',
    ceiling: 1,
    picks: [{ name: 'system.filesystem.inode.utilization', by: MOUNT }],
  },
  { id: 'network', title: 'Network throughput', group: 'network', picks: [{ name: 'system.network.io', by: CARD }] },
  { id: 'packets', title: 'Packets', group: 'network', picks: [{ name: 'system.network.packet.count', by: CARD }] },
  {
    id: 'network-faults',
    title: 'Packets dropped, errors',
    group: 'network',
    picks: [
      { name: 'system.network.packet.dropped', by: CARD, word: 'dropped' },
      { name: 'system.network.errors', by: CARD, word: 'errors' },
    ],
  },
  {
    id: 'connections',
    title: 'Connections',
    group: 'network',
    picks: [
      {
        name: 'system.network.connection.count',
        by: ['network.connection.state', 'network.transport'],
      },
      { name: 'system.network.connection.count', by: ['network.transport'], without: 'network.connection.state' },
    ],
  },
  {
    id: 'retransmits',
    title: 'TCP retransmits',
    group: 'network',
    picks: [{ name: 'system.network.tcp.retransmits', word: 'sent again' }],
  },
  {
    id: 'top-cpu',
    title: 'Processes by CPU',
    group: 'processes',
    top: 6,
    picks: [{ name: 'process.cpu.utilization', by: PROGRAM }],
  },
  {
    id: 'top-memory',
    title: 'Processes by memory',
    group: 'processes',
    top: 6,
    picks: [{ name: 'process.memory.usage', by: PROGRAM }],
  },
  {
    id: 'process-states',
    title: 'Processes by state',
    group: 'processes',
    picks: [{ name: 'system.process.count', by: ['process.state'], omit: ['other'] }],
  },
  {
    id: 'created',
    title: 'Processes started',
    group: 'processes',
    picks: [{ name: 'system.process.created', word: 'started' }],
  },
  {
    id: 'open-files',
    title: 'Processes by open files',
    group: 'processes',
    top: 6,
    picks: [{ name: 'process.unix.file_descriptor.count', by: PROGRAM }],
  },
  {
    id: 'process-io',
    title: 'Processes by disk I/O',
    group: 'processes',
    top: 6,
    picks: [{ name: 'process.disk.io', by: [...PROGRAM, 'disk.io.direction'] }],
  },
  {
    id: 'units',
    title: 'Units by state',
    group: 'services',
    picks: [
      {
        name: 'systemd.unit.count',
        by: ['systemd.unit.active_state'],
        order: ['active', 'failed'],
        omit: ['inactive'],
      },
    ],
  },
  {
    id: 'unit-cpu',
    title: 'Units by CPU',
    group: 'services',
    top: 6,
    picks: [{ name: 'systemd.unit.cpu.time', by: UNIT }],
  },
  {
    id: 'unit-memory',
    title: 'Units by memory',
    group: 'services',
    top: 6,
    picks: [{ name: 'systemd.unit.memory.usage', by: UNIT }],
  },
  {
    id: 'unit-restarts',
    title: 'Units started again',
    group: 'services',
    top: 6,
    picks: [{ name: 'systemd.unit.restarts', by: UNIT }],
  },
  {
    id: 'container-cpu',
    title: 'Containers, CPU',
    group: 'containers',
    top: 6,
    picks: [
      { name: 'container.cpu.utilization', without: 'container.id', word: 'used' },
      { name: 'container.cpu.utilization', by: CONTAINER },
    ],
  },
  {
    id: 'container-throttled',
    title: 'Containers, held back',
    group: 'containers',
    top: 6,
    picks: [
      { name: 'container.cpu.throttled', without: 'container.id', word: 'held back' },
      { name: 'container.cpu.throttled', by: CONTAINER },
    ],
  },
  {
    id: 'container-memory',
    title: 'Containers, memory',
    group: 'containers',
    top: 6,
    picks: [
      { name: 'container.memory.usage', without: 'container.id', word: 'used' },
      { name: 'container.memory.usage', by: CONTAINER },
    ],
  },
  {
    id: 'container-io',
    title: 'Containers, disk I/O',
    group: 'containers',
    top: 6,
    picks: [{ name: 'container.disk.io', by: [...CONTAINER, 'disk.io.direction'] }],
  },
  {
    id: 'temperature',
    title: 'Temperature',
    group: 'hardware',
    picks: [{ name: 'hw.temperature', by: COMPONENT }],
  },
  {
    id: 'disk-wear',
    title: 'Disks, endurance left',
    group: 'hardware',
    ceiling: 1,
    picks: [{ name: 'hw.physical_disk.endurance_utilization', by: COMPONENT }],
  },
  {
    id: 'gpu',
    title: 'GPUs, busy',
    group: 'hardware',
    ceiling: 1,
    picks: [{ name: 'hw.gpu.utilization', by: [...COMPONENT, 'hw.gpu.task'] }],
  },
  {
    id: 'gpu-memory',
    title: 'GPUs, memory',
    group: 'hardware',
    picks: [{ name: 'hw.gpu.memory.usage', by: COMPONENT }],
  },
  { id: 'power', title: 'Power', group: 'hardware', picks: [{ name: 'hw.power', by: COMPONENT }] },
  {
    id: 'files',
    title: 'Open files',
    group: 'system',
    picks: [{ name: 'system.linux.file_descriptor.count', word: 'open' }],
  },
  { id: 'agent-cpu', title: 'Agent, CPU', group: 'agent', picks: [{ name: 'outrider.agent.cpu.time', word: 'used' }] },
  {
    id: 'agent-memory',
    title: 'Agent, memory',
    group: 'agent',
    picks: [{ name: 'outrider.agent.memory.usage', word: 'resident' }],
  },
  {
    id: 'agent-spool',
    title: 'Agent, spool on disk',
    group: 'agent',
    picks: [{ name: 'outrider.agent.spool.usage', word: 'spool' }],
  },
  {
    id: 'agent-lines',
    title: 'Agent, log lines',
    group: 'agent',
    picks: [{ name: 'outrider.agent.log.lines', by: ['outrider.ledger.state'] }],
  },
  {
    id: 'agent-collectors',
    title: 'Agent, time of collectors',
    group: 'agent',
    top: 6,
    picks: [{ name: 'outrider.collector.duration', by: ['outrider.collector'] }],
  },
  {
    id: 'agent-skew',
    title: 'Agent, clock against the hub',
    group: 'agent',
    picks: [{ name: 'outrider.agent.clock.skew', word: 'ahead' }],
  },
];

/** How strange the host is to each of its models. */
export const MODEL_CHARTS: readonly ChartDefinition[] = [
  {
    id: 'model-score',
    title: 'Score by model',
    group: 'agent',
    ceiling: 1,
    unit: '',
    picks: [
      {
        name: 'outrider.host.model.score',
        by: ['outrider.model.alias'],
        order: ['champion', 'shadow', 'own'],
      },
    ],
  },
];
