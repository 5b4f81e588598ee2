import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { attributesOfDocker } from './docker.ts';
import { attributesOfPath, idOfLink, linkPrefix, type Attributes } from './path.ts';

/** Docker's description of a container is no larger than this, bytes. */
const DESCRIPTION_BYTES = 1_048_576;

function describedBeside(path: string): Attributes {
  try {
    const description = join(dirname(path), 'config.v2.json');
    return statSync(description).size > DESCRIPTION_BYTES ? {} : attributesOfDocker(readFileSync(description, 'utf8'));
  } catch {
    return {}; // Only root may read it, as a rule.
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // It is gone, or leads nowhere.
  }
}

/** The id of a pod's container: Kubernetes makes links beside `pods` that are named by it. */
function idOfPodFile(path: string, attributes: Attributes): Attributes {
  const folder = join(path.slice(0, path.lastIndexOf('/pods/')), 'containers');
  try {
    const prefix = linkPrefix(attributes);
    const links = readdirSync(folder).filter((name) => name.startsWith(prefix));
    const own = links.find((name) => realPath(join(folder, name)) === realPath(path));
    const id = own === undefined ? undefined : idOfLink(own);
    return id === undefined ? {} : { 'container.id': id };
  } catch {
    return {}; // There is no such folder here.
  }
}

/** What wrote the lines of a path, from the path itself, from the links to it and from Docker's description; undefined where it is no container's file. */
export function attributesOfFile(path: string): Attributes | undefined {
  const named = attributesOfPath(path);
  const real = realPath(path);
  const behind = real === path ? undefined : attributesOfPath(real);
  if (named === undefined && behind === undefined) return undefined;
  const isPod = named?.['k8s.pod.uid'] !== undefined;
  return {
    ...(isPod ? idOfPodFile(path, named) : {}),
    ...describedBeside(real),
    ...behind,
    ...named,
  };
}
