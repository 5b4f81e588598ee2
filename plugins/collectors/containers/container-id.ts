/** The runtimes that are told apart by the names of their groups. */
export interface ContainerGroup {
  id: string;
  runtime: string;
}

const ID = '[0-9a-f]{64}';

/** How the runtimes call the group of a container, as systemd's scope or as a plain folder below one of their own. */
const PATTERNS: readonly (readonly [runtime: string, pattern: RegExp])[] = [
  ['docker', new RegExp(`/docker-(${ID})\\.scope$`)],
  ['docker', new RegExp(`/docker/(${ID})$`)],
  ['podman', new RegExp(`/libpod-(${ID})(?:\\.scope)?(?:/container)?$`)],
  ['containerd', new RegExp(`/cri-containerd-(${ID})\\.scope$`)],
  ['cri-o', new RegExp(`/crio-(${ID})(?:\\.scope)?$`)],
  // cgroupfs of a kubelet names no runtime.
  ['kubernetes', new RegExp(`/kubepods[^/]*/(?:[^/]+/)*(${ID})$`)],
  ['containerd', new RegExp(`/(?:default|k8s\\.io|moby|buildkit)/(${ID})$`)],
  ['lxc', /\/lxc(?:\.payload)?[./]([A-Za-z0-9][A-Za-z0-9_.-]{0,63})$/],
];

/** The container whose group has this path, or `undefined` for any other group. Groups within a container are none. */
export function containerOf(path: string): ContainerGroup | undefined {
  for (const [runtime, pattern] of PATTERNS) {
    const id = pattern.exec(path)?.[1];
    if (id !== undefined) return { id, runtime };
  }
  return undefined;
}

/** The pod of a group's path, as the kubelet names it. */
export function podOf(path: string): string | undefined {
  const found = /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})/.exec(path);
  return found?.[1]?.replaceAll('_', '-');
}
