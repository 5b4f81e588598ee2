import { counter, gauge, type MetricInfo } from './metric-info.ts';
import { SERVER_METRICS } from './server-metrics.ts';

export type { Merge, MetricInfo, SeriesKind } from './metric-info.ts';

/**
 * Marks the two companions, `min` and `max`, of a gauge whose seconds an agent folded into ten: the average stands under the gauge's own
 * attributes, so that who asks for those gets it as ever, and who asks for the companions finds them.
 */
export const AGGREGATE_ATTRIBUTE = 'outrider.aggregate';

/** The version of OpenTelemetry's semantic conventions that the names follow. */
export const SEMANTIC_CONVENTIONS = '1.37.0';

/** The one catalogue of metric names. Names that OpenTelemetry lacks follow its grammar. */
export const METRICS = {
  // cpu: cpu.mode = user nice system idle iowait interrupt steal; cpu.logical_number on the per-core series only
  'system.cpu.utilization': gauge('1', 'avg', 'Share of the time that a CPU spent in a mode since the last run.'),
  'system.cpu.busy': gauge(
    '1',
    'avg',
    'Share of the time that all cores together, or one core, did not idle or wait for I/O.',
  ),
  'system.cpu.logical.count': gauge('{cpu}', 'max', 'Logical CPUs that are online.'),
  'system.cpu.load_average.1m': gauge(
    '{thread}',
    'max',
    'Runnable and uninterruptible threads, averaged over a minute.',
  ),
  'system.cpu.load_average.5m': gauge('{thread}', 'max', 'The same over five minutes.'),
  'system.cpu.load_average.15m': gauge('{thread}', 'max', 'The same over fifteen minutes.'),
  // memory: system.memory.state = used free buffers cached
  'system.memory.usage': gauge('By', 'sum', 'Memory in each state; the states add up to the limit.'),
  'system.memory.limit': gauge('By', 'max', 'Memory that the machine has.'),
  'system.memory.utilization': gauge('1', 'sum', 'Memory in each state as a share of the limit.'),
  'system.linux.memory.available': gauge('By', 'max', 'Memory that a new program could get without swapping.'),
  'system.paging.usage': gauge('By', 'sum', 'Swap in each system.paging.state: used, free.'),
  'system.paging.utilization': gauge('1', 'sum', 'Swap in each state as a share of all swap.'),
  'system.paging.operations': counter('{operation}', 'Pages moved, by system.paging.direction (in, out).'),
  'system.paging.faults': counter('{fault}', 'Page faults, by system.paging.type (major, minor).'),
  // pressure: system.linux.pressure.resource = cpu memory io; system.linux.pressure.scope = some full
  'system.linux.pressure.utilization': gauge(
    '1',
    'max',
    'Share of the time since the last run in which some or all tasks were stalled on a resource.',
  ),
  // disk: system.device, disk.io.direction = read write
  'system.disk.io': counter('By', 'Bytes that a disk moved.'),
  'system.disk.operations': counter('{operation}', 'Reads and writes that a disk finished.'),
  'system.disk.io_time': counter('s', 'Time in which a disk was busy.'),
  'system.disk.operation_time': counter('s', 'Time that all operations took together.'),
  'system.disk.utilization': gauge('1', 'max', 'Share of the time since the last run in which a disk was busy.'),
  // filesystem: system.device, system.filesystem.mountpoint, system.filesystem.type, system.filesystem.state = used free reserved
  'system.filesystem.usage': gauge('By', 'sum', 'Space in each state.'),
  'system.filesystem.limit': gauge('By', 'sum', 'Space that a file system has.'),
  'system.filesystem.utilization': gauge('1', 'max', 'Used space as a share of what an ordinary user can use.'),
  'system.filesystem.inode.utilization': gauge('1', 'max', 'Used inodes as a share of all.'),
  // network: network.interface.name, network.io.direction = receive transmit
  'system.network.io': counter('By', 'Bytes that an interface moved.'),
  'system.network.packet.count': counter('{packet}', 'Packets that an interface moved.'),
  'system.network.packet.dropped': counter('{packet}', 'Packets that an interface dropped.'),
  'system.network.errors': counter('{error}', 'Errors that an interface counted.'),
  'system.network.connection.count': gauge(
    '{connection}',
    'sum',
    'Sockets: TCP in the states established and time_wait, and all of UDP.',
  ),
  'system.network.tcp.retransmits': counter('{segment}', 'TCP segments that were sent again.'),
  // processes: process.state; process.executable.name on the top lists, added up over all processes of that name
  'system.process.count': gauge('{process}', 'sum', 'Processes, by process.state.'),
  'system.process.created': counter('{process}', 'Processes started since boot.'),
  'process.cpu.utilization': gauge(
    '1',
    'sum',
    'Cores that the processes of an executable used since the last run (1 is one whole core).',
  ),
  'process.memory.usage': gauge('By', 'sum', 'Resident memory of the processes of an executable.'),
  // of single processes only: process.pid, process.command_line, process.linux.cgroup, process.owner
  'process.thread.count': gauge('{thread}', 'sum', 'Threads of a process.'),
  'process.unix.file_descriptor.count': gauge('{file_descriptor}', 'sum', 'Files that a process has open.'),
  'process.disk.io': counter('By', 'Bytes that a process moved from and to disks, by disk.io.direction.'),
  // system
  'system.uptime': gauge('s', 'max', 'Time since boot.'),
  'system.linux.file_descriptor.count': gauge('{file_descriptor}', 'max', 'Open file handles of the whole machine.'),
  'system.linux.file_descriptor.utilization': gauge('1', 'max', 'Open file handles as a share of the limit.'),
  // the agent's own container without attributes; others by container.id, container.name, container.image.name
  'container.cpu.time': counter('s', 'CPU time that the container used.'),
  'container.cpu.utilization': gauge(
    '1',
    'max',
    'Cores used by the container as a share of its limit, or of the machine without one.',
  ),
  'container.cpu.limit': gauge('{cpu}', 'sum', 'Cores that the container may use.'),
  'container.cpu.throttled': counter('s', 'Time in which the container was held back by its CPU limit.'),
  'container.memory.usage': gauge(
    'By',
    'max',
    'Memory charged to the container, less file cache that was not used lately.',
  ),
  'container.memory.limit': gauge('By', 'sum', 'Memory that the container may have.'),
  'container.memory.utilization': gauge('1', 'max', 'The used memory as a share of the limit.'),
  'container.memory.oom_kills': counter(
    '{process}',
    'Processes that were killed because the container’s memory was full.',
  ),
  'container.disk.io': counter('By', 'Bytes that the container moved, by disk.io.direction.'),
  'container.thread.count': gauge('{thread}', 'sum', 'Threads of the container.'),
  'container.thread.limit': gauge('{thread}', 'sum', 'Threads that the container may have.'),
  // systemd: systemd.unit.name, systemd.unit.active_state = active failed inactive activating deactivating reloading
  'systemd.unit.count': gauge('{unit}', 'sum', 'Units in each state.'),
  'systemd.unit.state': gauge('1', 'sum', 'One while a unit is in a state, else zero.'),
  'systemd.unit.restarts': counter('{restart}', 'Restarts of a service by systemd itself.'),
  'systemd.unit.cpu.time': counter('s', 'CPU time that a unit used.'),
  'systemd.unit.memory.usage': gauge(
    'By',
    'sum',
    'Memory charged to a unit, less file cache that was not used lately.',
  ),
  'systemd.unit.thread.count': gauge('{thread}', 'sum', 'Threads of a unit.'),
  // hardware: hw.id, hw.type = physical_disk gpu, hw.name, hw.model; hw.state; error.type
  'hw.status': gauge('1', 'sum', 'One while a component is in a hw.state (ok, predicted_failure), else zero.'),
  'hw.temperature': gauge('Cel', 'max', 'Temperature of a component.'),
  'hw.errors': counter('{error}', 'Errors that a component counted, by error.type.'),
  'hw.power': gauge('W', 'sum', 'Power that a component draws.'),
  'hw.fan.speed_ratio': gauge('1', 'max', 'Speed of a fan as a share of its highest.'),
  'hw.physical_disk.smart': gauge(
    '1',
    'sum',
    'Raw value of what a disk tells of its wear, by hw.physical_disk.smart_attribute.',
  ),
  'hw.physical_disk.endurance_utilization': gauge(
    '1',
    'max',
    'Share of what a disk can bear being written that remains, for the hw.physical_disk.state remaining.',
  ),
  'hw.physical_disk.spare_utilization': gauge('1', 'max', 'Share of the spare blocks of a disk that remains.'),
  'hw.physical_disk.power_on_time': gauge('s', 'max', 'Time for which a disk was powered in its life.'),
  'hw.gpu.utilization': gauge('1', 'max', 'Share of the time in which a GPU worked, by hw.gpu.task.'),
  'hw.gpu.memory.usage': gauge('By', 'sum', 'Memory of a GPU that is in use.'),
  'hw.gpu.memory.limit': gauge('By', 'sum', 'Memory that a GPU has.'),
  'hw.gpu.memory.utilization': gauge('1', 'max', 'Used memory of a GPU as a share of all.'),
  'hw.gpu.power.limit': gauge('W', 'sum', 'Power that a GPU may draw.'),
  'hw.gpu.clock.frequency': gauge('Hz', 'max', 'Clock of a GPU, by hw.gpu.clock (graphics, memory).'),
  // the agent itself; outrider.collector = the collector's name
  'outrider.collector.success': gauge(
    '1',
    'max',
    'One when the last run of a collector succeeded, zero when it failed or was late.',
  ),
  'outrider.collector.duration': gauge('s', 'max', 'How long the last run of a collector took.'),
  // what is asked by address; outrider.target = its name in the settings
  'outrider.target.up': gauge(
    '1',
    'max',
    'One when a target answered the last question, zero when it did not or was late.',
  ),
  'outrider.target.duration': gauge('s', 'max', 'How long the last answer of a target took.'),
  'outrider.agent.cpu.time': counter('s', 'CPU time that the agent used.'),
  'outrider.agent.memory.usage': gauge('By', 'max', 'Resident memory of the agent.'),
  'outrider.agent.spool.usage': gauge('By', 'max', 'Bytes in the spool that the hub has not acknowledged.'),
  'outrider.agent.log.lines': counter(
    '{line}',
    'Log lines, by outrider.ledger.state: read, dropped, spooled, acknowledged, lost.',
  ),
  'outrider.agent.log.dropped': counter(
    '{line}',
    'Log lines that a rule of the settings left out, by outrider.drop.rule.',
  ),
  'outrider.agent.redactions': counter(
    '{redaction}',
    'Secrets and other finds that were replaced in log lines, by outrider.redaction.kind.',
  ),
  'outrider.agent.runs.dropped': counter(
    '{run}',
    'Runs of collectors that the spool did not take, by outrider.drop.reason: spool-full, disk-stuck.',
  ),
  'outrider.agent.samples.dropped': counter('{sample}', 'Samples of those runs, by outrider.drop.reason.'),
  'outrider.agent.pressure': gauge(
    '1',
    'max',
    'One while a step is taken to save, by outrider.pressure.step: slow-reading, files-wait, longer-intervals, aggregate, drop.',
  ),
  'outrider.agent.budget.utilization': gauge(
    '1',
    'max',
    'What is used of each outrider.budget (cpu over a minute, memory, disk, handles, series) as a share of its limit.',
  ),
  'outrider.agent.series.overflow': counter(
    '{sample}',
    'Values that found no place among the series, by outrider.collector and outrider.metric; the ten worst.',
  ),
  'outrider.statsd.samples': counter(
    '{sample}',
    'Samples that came by StatsD, by outrider.statsd.outcome: taken, malformed, unsupported, type_conflict, too_many_series.',
  ),
  'outrider.agent.settings.faults': gauge(
    '{fault}',
    'max',
    'Faults of the settings file for which the agent runs on with what it read before; 0 while the file is in force.',
  ),
  // what the agent judged
  'outrider.host.anomaly.score': gauge(
    '1',
    'max',
    'How unlike its past a host was in ten seconds, all its metrics together: 0 to 1, strange from 0.5 on.',
  ),
  'outrider.host.model.score': gauge(
    '1',
    'max',
    'How unlike the usual a model finds a host in ten seconds, by outrider.model.alias (champion, shadow, own) and outrider.model.version: 0 to 1, an alert from 0.5 on.',
  ),
  'outrider.anomaly.score': gauge(
    '1',
    'max',
    'The same of one series, named by outrider.metric and its own attributes; only while it is 0.5 or more.',
  ),
  'outrider.log.template.lines': counter(
    '{line}',
    'Log lines of a kind, by outrider.log.template (its id) and outrider.log.source; the most frequent kinds.',
  ),
  'outrider.agent.clock.skew': gauge('s', 'max', "The agent's clock minus the hub's."),
  ...SERVER_METRICS,
} as const satisfies Record<string, MetricInfo>;

/** A name of the catalogue. */
export type MetricName = keyof typeof METRICS;

/** Looks a name up; names from elsewhere (scrapes, OTLP) are not in the catalogue. */
export function metricInfo(name: string): MetricInfo | undefined {
  return Object.hasOwn(METRICS, name) ? METRICS[name as MetricName] : undefined;
}
