/** The control groups that a process belongs to. */
export interface Membership {
  /** Path in the unified hierarchy. */
  unified: string | undefined;
  /** Path by controller in the old hierarchies. */
  controllers: ReadonlyMap<string, string>;
}

const CONTAINER =
  /(docker|libpod|podman|containerd|crio|kubepods|lxc|ecs|garden|buildkit|actions_job|[0-9a-f]{32,64})/i;

/** Reads /proc/self/cgroup. */
export function parseMembership(text: string): Membership {
  let unified: string | undefined;
  const controllers = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (names === undefined || path === undefined) continue;
    if (names === '') unified = path;
    else for (const name of names.split(',')) controllers.set(name, path);
  }
  return { unified, controllers };
}

/**
 * True for the path of a container. A container with a namespace of its own sees `/`, as a bare machine does; the
 * files below it tell those two apart, because the kernel's own root has no limits.
 */
export function isContainerPath(path: string): boolean {
  return path === '/' || CONTAINER.test(path);
}
