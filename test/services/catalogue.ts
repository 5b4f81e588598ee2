import type { ServerKind } from './kind.ts';
import { nats } from './nats.ts';
import { postgres } from './postgres.ts';
import { prometheus } from './prometheus.ts';
import { redis } from './redis.ts';
import { victoriametrics } from './victoriametrics.ts';

/** Every kind of server, quick ones first. */
export const KINDS: readonly ServerKind<{ url: string }>[] = [postgres, redis, nats, victoriametrics, prometheus];
