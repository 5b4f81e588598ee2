import { Type, type Static } from 'typebox';
import type { MetricName } from '#proto/metrics.ts';
import { defineCollector, type Connect, type Emit } from '#sdk';
import { connectHttp, createTargets, httpFields, rememberAttributes, targetList, type HttpTarget } from '../../targets/index.ts'; // prettier-ignore
import { readNodes, readOverview, readQueues, type Node, type Overview, type Queues } from './answers.ts';

const MOST_BYTES = 8_000_000;
const COLUMNS = 'name,vhost,consumers,messages_ready,messages_unacknowledged,memory,message_stats';

const fields = {
  ...httpFields,
  queues: Type.Integer({
    default: 100,
    minimum: 0,
    maximum: 500,
    description: 'How many queues to tell one by one: those with the most messages.',
  }),
};

type RabbitTarget = HttpTarget & Static<ReturnType<typeof Type.Object<typeof fields>>>;

const connectRabbit: Connect<RabbitTarget> = (target) => connectHttp(target, { accept: 'application/json', maxBytes: MOST_BYTES }); // prettier-ignore

const NODE_VALUES: readonly (readonly [key: keyof Node, metric: MetricName, scale?: number])[] = [
  ['running', 'rabbitmq.node.running'],
  ['mem_used', 'rabbitmq.node.mem_used'],
  ['mem_limit', 'rabbitmq.node.mem_limit'],
  ['mem_alarm', 'rabbitmq.node.mem_alarm'],
  ['disk_free', 'rabbitmq.node.disk_free'],
  ['disk_free_limit', 'rabbitmq.node.disk_free_limit'],
  ['disk_free_alarm', 'rabbitmq.node.disk_free_alarm'],
  ['fd_used', 'rabbitmq.node.fd_used'],
  ['fd_total', 'rabbitmq.node.fd_total'],
  ['sockets_used', 'rabbitmq.node.sockets_used'],
  ['sockets_total', 'rabbitmq.node.sockets_total'],
  ['proc_used', 'rabbitmq.node.proc_used'],
  ['proc_total', 'rabbitmq.node.proc_total'],
  ['run_queue', 'rabbitmq.node.run_queue'],
  ['uptime', 'rabbitmq.node.uptime', 1e-3],
];

type Attributes = ReturnType<typeof rememberAttributes>;

/** What is not said is NaN, which is dropped. */
const number = (value: unknown): number => (typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : NaN); // prettier-ignore

function tellCluster(
  emit: Emit,
  { object_totals: objects, queue_totals: totals, message_stats: stats }: Overview,
  attributes: Attributes,
): void {
  // prettier-ignore
  for (const kind of ['connections', 'channels', 'consumers', 'exchanges', 'queues'] as const)
    emit('rabbitmq.object.count', number(objects?.[kind]), attributes('kind', kind));
  emit('rabbitmq.message.current', number(totals?.messages_ready), attributes('state', 'ready'));
  emit('rabbitmq.message.current', number(totals?.messages_unacknowledged), attributes('state', 'unacknowledged'));
  emit('rabbitmq.message.published', number(stats?.publish), attributes());
  emit('rabbitmq.message.delivered', number(stats?.deliver_get), attributes());
  emit('rabbitmq.message.acknowledged', number(stats?.ack), attributes());
  emit('rabbitmq.message.redelivered', number(stats?.redeliver), attributes());
  emit('rabbitmq.message.dropped', number(stats?.drop_unroutable), attributes());
}

function tellNodes(emit: Emit, nodes: readonly Node[], attributes: Attributes): void {
  for (const node of nodes) {
    const own = attributes('rabbitmq.node.name', node.name);
    for (const [key, metric, scale = 1] of NODE_VALUES) emit(metric, number(node[key]) * scale, own);
    if (node.partitions !== undefined) emit('rabbitmq.node.partitions', node.partitions.length, own);
  }
}

function tellQueues(emit: Emit, { items, filtered_count: all }: Queues, attributes: Attributes): void {
  for (const { name, vhost, message_stats: stats, ...queue } of items) {
    const of = (...more: string[]) => attributes('rabbitmq.vhost.name', vhost, 'rabbitmq.queue.name', name, ...more);
    emit('rabbitmq.queue.messages', number(queue.messages_ready), of('state', 'ready'));
    emit('rabbitmq.queue.messages', number(queue.messages_unacknowledged), of('state', 'unacknowledged'));
    emit('rabbitmq.consumer.count', number(queue.consumers), of());
    emit('rabbitmq.queue.memory', number(queue.memory), of());
    emit('rabbitmq.queue.published', number(stats?.publish), of());
    emit('rabbitmq.queue.delivered', number(stats?.deliver_get), of());
    emit('rabbitmq.queue.acknowledged', number(stats?.ack), of());
  }
  emit('rabbitmq.queue.untold', Math.max(0, all - items.length), attributes());
}

/** RabbitMQ, by its management API. */
export const rabbitmq = defineCollector({
  name: 'rabbitmq',
  summary: 'Asks RabbitMQ’s management API for the cluster, its nodes and its fullest queues.',
  platforms: ['linux', 'darwin', 'win32', 'freebsd'],
  intervalSeconds: 10,
  config: Type.Object({ targets: targetList(fields) }, { additionalProperties: false }),
  create: ({ config, ...context }, connect: Connect<RabbitTarget> = connectRabbit) =>
    createTargets({
      collector: 'rabbitmq',
      targets: config.targets,
      context,
      connect,
      reader({ name, labels, queues }) {
        const attributes = rememberAttributes({ ...labels, 'outrider.target': name });
        const page = `/api/queues?page=1&page_size=${queues}&sort=messages&sort_reverse=true&columns=${COLUMNS}`;
        return {
          async read(ask) {
            const overview = readOverview(await ask('/api/overview'));
            const nodes = readNodes(await ask('/api/nodes'));
            const fullest = queues === 0 ? undefined : readQueues(await ask(page));
            return {
              tell(emit) {
                tellCluster(emit, overview, attributes);
                tellNodes(emit, nodes, attributes);
                if (fullest !== undefined) tellQueues(emit, fullest, attributes);
              },
            };
          },
        };
      },
    }),
});
