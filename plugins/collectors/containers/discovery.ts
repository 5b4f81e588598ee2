import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { containerOf, type ContainerGroup } from './container-id.ts';

/** A container's group and where its folder lies below the mount. */
export interface FoundGroup extends ContainerGroup {
  path: string;
}

/** Deeper and more than any kubelet makes; whoever makes more must not slow the agent. */
const MOST_DEPTH = 8;
const MOST_FOLDERS = 20_000;

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return []; // It ended, or is another user's.
  }
}

/** Finds the groups of containers below the mount of a hierarchy. Nothing below a container's own group is looked at. */
export function findContainers(mounted: string, most: number): FoundGroup[] {
  const found: FoundGroup[] = [];
  let left = MOST_FOLDERS;
  const visit = (path: string, depth: number): void => {
    for (const name of foldersIn(join(mounted, path))) {
      if (left-- <= 0 || found.length >= most) return;
      const below = `${path}/${name}`;
      const container = containerOf(below);
      if (container !== undefined) found.push({ ...container, path: below });
      else if (depth < MOST_DEPTH) visit(below, depth + 1);
    }
  };
  visit('', 0);
  return found;
}
