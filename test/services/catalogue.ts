import { elasticsearch8, elasticsearch9 } from './elasticsearch.ts';
import { influxdb } from './influxdb.ts';
import type { ServerKind } from './kind.ts';
import { minio } from './minio.ts';
import { nats } from './nats.ts';
import { nginx } from './nginx.ts';
import { otelcol } from './otelcol.ts';
import { postgres } from './postgres.ts';
import { prometheus } from './prometheus.ts';
import { rabbitmq } from './rabbitmq.ts';
import { redis } from './redis.ts';
import { victoriametrics } from './victoriametrics.ts';

/** Every kind of server, in the order in which they are had: what is quick to get comes first. */
export const KINDS: readonly ServerKind<{ url: string }>[] = [
  postgres,
  redis,
  victoriametrics,
  prometheus,
  nginx,
  rabbitmq,
  nats,
  otelcol,
  elasticsearch8,
  elasticsearch9,
  influxdb,
  minio,
];
