import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { problems } from '../../targets/index.ts';

const count = Type.Optional(Type.Number());
const flag = Type.Optional(Type.Boolean());
const stats = Type.Optional(Type.Object({ publish: count, deliver_get: count, ack: count, redeliver: count, drop_unroutable: count, return_unroutable: count })); // prettier-ignore

/** What the management API says of the cluster, as far as it is used. */
const Overview = Type.Object({
  cluster_name: Type.Optional(Type.String()),
  message_stats: stats,
  object_totals: Type.Optional(
    Type.Object({ channels: count, connections: count, consumers: count, exchanges: count, queues: count }),
  ),
  queue_totals: Type.Optional(Type.Object({ messages_ready: count, messages_unacknowledged: count })),
});
export type Overview = Static<typeof Overview>;

const Node = Type.Object({
  name: Type.String(),
  running: flag,
  mem_used: count,
  mem_limit: count,
  mem_alarm: flag,
  disk_free: count,
  disk_free_limit: count,
  disk_free_alarm: flag,
  fd_used: count,
  fd_total: count,
  sockets_used: count,
  sockets_total: count,
  proc_used: count,
  proc_total: count,
  run_queue: count,
  uptime: count,
  partitions: Type.Optional(Type.Array(Type.Unknown())),
});
export type Node = Static<typeof Node>;

const Queue = Type.Object({
  name: Type.String(),
  vhost: Type.String(),
  consumers: count,
  messages_ready: count,
  messages_unacknowledged: count,
  memory: count,
  message_stats: stats,
});
export type Queue = Static<typeof Queue>;

const Queues = Type.Object({ items: Type.Array(Queue), filtered_count: Type.Number() });
export type Queues = Static<typeof Queues>;

function read<T>(schema: TSchema, what: string, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw problems.notUnderstood(`the answer about ${what} is no JSON`, { cause: error });
  }
  if (Value.Check(schema, value)) return value as T;
  throw problems.notUnderstood(`the answer about ${what} is not that of RabbitMQ’s management API`);
}

/** Reads `/api/overview`. */
export const readOverview = (text: string): Overview => read<Overview>(Overview, 'the cluster', text);

/** Reads `/api/nodes`. */
export const readNodes = (text: string): Node[] => read<Node[]>(Type.Array(Node), 'its nodes', text);

/** Reads a page of `/api/queues`. */
export const readQueues = (text: string): Queues => read<Queues>(Queues, 'its queues', text);
