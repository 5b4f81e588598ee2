import { readFileSync } from 'node:fs';

/** Files that a runtime mounts into a container from a folder that is named by it; a host has none of them. */
const DOCKER = /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) \/etc\//g;
const KUBERNETES = /\/pods\/([\w-]{1,64})\/etc-hosts \/etc\/hosts /g;
/** A control group that is a container's. */
const GROUP = /[/:](?:docker|cri-containerd|crio|libpod)[-/:]([0-9a-f]{64})\b/g;

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // Another system than Linux.
  }
}

/** Globs of the log files of the container that this agent runs in, so that it does not read what it writes; none on a host. */
export function ownContainerGlobs(
  mounts = textOf('/proc/self/mountinfo'),
  group = textOf('/proc/self/cgroup'),
): string[] {
  const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, id = '']) => id);
  const ids = new Set([...found(mounts, DOCKER), ...found(group, GROUP)]);
  const pods = new Set(found(mounts, KUBERNETES));
  return [
    ...[...ids].flatMap((id) => [`/**/containers/${id}/*`, `/**/containers/*-${id}.log*`]),
    ...[...pods].map((uid) => `/**/pods/*_${uid}/**`),
  ];
}
