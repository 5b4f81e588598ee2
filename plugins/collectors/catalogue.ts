import type { CollectorDefinition } from '#sdk';

/** Every collector that ships. The only file that names them; nothing is loaded before it is asked for. */
export const collectors = {
  cpu: () => import('./cpu/index.ts').then((room) => room.cpu),
  load: () => import('./load/index.ts').then((room) => room.load),
  memory: () => import('./memory/index.ts').then((room) => room.memory),
  pressure: () => import('./pressure/index.ts').then((room) => room.pressure),
  disk: () => import('./disk/index.ts').then((room) => room.disk),
  filesystem: () => import('./filesystem/index.ts').then((room) => room.filesystem),
  network: () => import('./network/index.ts').then((room) => room.network),
  processes: () => import('./processes/index.ts').then((room) => room.processes),
  uptime: () => import('./uptime/index.ts').then((room) => room.uptime),
  'file-descriptors': () => import('./file-descriptors/index.ts').then((room) => room.fileDescriptors),
  cgroup: () => import('./cgroup/index.ts').then((room) => room.cgroup),
  systemd: () => import('./systemd/index.ts').then((room) => room.systemd),
  containers: () => import('./containers/index.ts').then((room) => room.containers),
  smart: () => import('./smart/index.ts').then((room) => room.smart),
  nvidia: () => import('./nvidia/index.ts').then((room) => room.nvidia),
  exec: () => import('./exec/index.ts').then((room) => room.exec),
  statsd: () => import('./statsd/index.ts').then((room) => room.statsd),
  prometheus: () => import('./prometheus/index.ts').then((room) => room.prometheus),
  check: () => import('./check/index.ts').then((room) => room.check),
  postgres: () => import('./postgres/index.ts').then((room) => room.postgres),
  redis: () => import('./redis/index.ts').then((room) => room.redis),
  rabbitmq: () => import('./rabbitmq/index.ts').then((room) => room.rabbitmq),
  nginx: () => import('./nginx/index.ts').then((room) => room.nginx),
  portable: () => import('./portable/index.ts').then((room) => room.portable),
} as const satisfies Record<string, () => Promise<CollectorDefinition>>;

/** The collectors that run on a platform, in the table's order. */
export async function collectorsFor(platform: NodeJS.Platform): Promise<CollectorDefinition[]> {
  const all: CollectorDefinition[] = await Promise.all(Object.values(collectors).map((load) => load()));
  return all.filter(({ platforms }) => platforms.includes(platform));
}
