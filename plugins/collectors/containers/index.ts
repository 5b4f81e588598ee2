import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { defineCollector, reasonOf, textFile, type Attributes, type CollectorContext, type Emit } from '#sdk';
import {
  countCpus,
  groupReader,
  readLegacy,
  readLegacyActivity,
  readUnified,
  readUnifiedActivity,
  type Activity,
  type Usage,
} from '../control-groups/index.ts';
import { podOf } from './container-id.ts';
import { findContainers, type FoundGroup } from './discovery.ts';
import { listContainers, type DockerContainer } from './docker.ts';

const Config = Type.Object(
  {
    exclude: Type.Array(Type.String({ format: 'regex' }), {
      default: [],
      description:
        'Regular expressions; a container whose name (its id without the engine’s socket) matches one is left out.',
    }),
    most: Type.Integer({ default: 200, minimum: 1, maximum: 700, description: 'Containers that are told at most.' }),
    docker: Type.Object(
      {
        socket: Type.String({
          default: '',
          description:
            'Socket of Docker’s or Podman’s engine, such as `/var/run/docker.sock`, to ask for names and images; not asked while empty. Whoever may use it is as good as root.',
        }),
      },
      { default: {}, additionalProperties: false, description: 'The engine: `socket`, not asked while empty.' },
    ),
  },
  { additionalProperties: false },
);

type Context = CollectorContext<Static<typeof Config>>;

/** How long the list of containers is good for. */
const RESCAN_MS = 10_000;

interface Watched {
  path: string;
  isShown: boolean;
  plain: Attributes;
  read: Attributes;
  write: Attributes;
  look(): Usage & Activity;
  last: { cpuSeconds: number | undefined; at: number } | undefined;
}

/** The hierarchy in which containers are found, and how a group of it is read. */
interface Hierarchy {
  mounted: string;
  look(path: string): () => Usage & Activity;
}

function hierarchyOf(root: string): Hierarchy {
  const mounted = join(root, 'sys/fs/cgroup');
  if (existsSync(join(mounted, 'cgroup.controllers'))) {
    return {
      mounted,
      look(path) {
        const read = groupReader(() => join(mounted, path));
        return () => ({ ...readUnified(read), ...readUnifiedActivity(read) });
      },
    };
  }
  return {
    mounted: join(mounted, 'memory'),
    look(path) {
      const read = groupReader((controller) => join(mounted, controller, path));
      return () => ({ ...readLegacy(read), ...readLegacyActivity(read) });
    },
  };
}

function attributesOf({ id, runtime, path }: FoundGroup, known: DockerContainer | undefined): Attributes {
  const pod = podOf(path);
  const [, image, tag] = /^(.*?)(?::([^:/]+))?$/.exec(known?.image ?? '') ?? [];
  return {
    'container.id': id,
    'container.name': known === undefined || known.name === '' ? id.slice(0, 12) : known.name,
    'container.runtime': runtime,
    ...(pod === undefined ? {} : { 'k8s.pod.uid': pod }),
    ...(image === undefined || image === '' ? {} : { 'container.image.name': image }),
    ...(tag === undefined ? {} : { 'container.image.tags': tag }),
  };
}

function emitTold(emit: Emit, { plain, read, write }: Watched, usage: Usage & Activity): void {
  const { memory, memoryLimit, cpuSeconds, cpuLimit, throttledSeconds } = usage;
  const told = [
    ['container.cpu.time', cpuSeconds, plain],
    ['container.cpu.limit', cpuLimit, plain],
    ['container.cpu.throttled', throttledSeconds, plain],
    ['container.memory.usage', memory, plain],
    ['container.memory.limit', memoryLimit, plain],
    ['container.memory.oom_kills', usage.oomKills, plain],
    ['container.disk.io', usage.readBytes, read],
    ['container.disk.io', usage.writtenBytes, write],
    ['container.thread.count', usage.threads, plain],
    ['container.thread.limit', usage.threadLimit, plain],
  ] as const;
  for (const [name, value, attributes] of told) if (value !== undefined) emit(name, value, attributes);
  if (memory !== undefined && memoryLimit !== undefined && memoryLimit > 0)
    emit('container.memory.utilization', memory / memoryLimit, plain);
}

function emitContainer(emit: Emit, watched: Watched, at: number, cores: number | undefined): void {
  const usage = watched.look();
  emitTold(emit, watched, usage);
  const { last } = watched;
  const used = (usage.cpuSeconds ?? NaN) - (last?.cpuSeconds ?? NaN);
  const may = (usage.cpuLimit ?? cores ?? NaN) * ((at - (last?.at ?? at)) / 1000);
  if (used >= 0 && may > 0) emit('container.cpu.utilization', used / may, watched.plain);
  watched.last = { cpuSeconds: usage.cpuSeconds, at };
}

/** Keeps the list of containers that run, with the names that the engine knows. */
function createList({ root, config, clock }: Context) {
  let hierarchy: Hierarchy | undefined;
  const exclude = config.exclude.map((pattern) => new RegExp(pattern));
  let watched = new Map<string, Watched>();
  const watch = ({ look }: Hierarchy, group: FoundGroup, known: DockerContainer | undefined): Watched => {
    const plain = attributesOf(group, known);
    return {
      path: group.path,
      isShown: !exclude.some((pattern) => pattern.test(plain['container.name'] ?? '')),
      plain,
      read: { ...plain, 'disk.io.direction': 'read' },
      write: { ...plain, 'disk.io.direction': 'write' },
      look: look(group.path),
      last: undefined,
    };
  };
  return {
    watched: () => [...watched.values()].filter(({ isShown }) => isShown),
    /** Looks for containers anew; gives why the engine could not be asked, if it was. */
    async scan(signal: AbortSignal): Promise<string | undefined> {
      const found = (hierarchy ??= hierarchyOf(root));
      const groups = findContainers(found.mounted, config.most);
      let names: ReadonlyMap<string, DockerContainer> = new Map();
      let fault: string | undefined;
      if (config.docker.socket !== '' && groups.some(({ path }) => !watched.has(path)))
        names = await listContainers(join(root, config.docker.socket), clock, signal).catch((error: unknown) => {
          fault = reasonOf(error);
          return names;
        });
      watched = new Map(
        groups.map((group) => [group.path, watched.get(group.path) ?? watch(found, group, names.get(group.id))]),
      );
      return fault;
    },
  };
}

/** Processor, memory, I/O and threads of each container. */
export const containers = defineCollector({
  name: 'containers',
  summary:
    'Reads processor, throttling, memory, limits, I/O and threads of each container of Docker, containerd, CRI-O, Podman, LXC and Kubernetes, from control groups of either version.',
  platforms: ['linux'],
  intervalSeconds: 10,
  config: Config,
  lacks: ({ docker: { socket } }, root) =>
    socket === '' || existsSync(join(root, socket)) ? undefined : `there is no socket ${socket}`,
  create(context) {
    const { root, clock } = context;
    const list = createList(context);
    const readOnline = textFile(join(root, 'sys/devices/system/cpu/online'));
    let cores: number | undefined;
    let scannedAt = -Infinity;
    return {
      async collect(emit, signal) {
        let fault: string | undefined;
        if (clock.monotonic() - scannedAt >= RESCAN_MS - 500) {
          fault = await list.scan(signal);
          cores = countCpus(readOnline() ?? '');
          scannedAt = clock.monotonic();
        }
        for (const watched of list.watched()) emitContainer(emit, watched, clock.monotonic(), cores);
        if (fault !== undefined) throw new Error(`names of containers are not known: ${fault}`);
      },
    };
  },
});
