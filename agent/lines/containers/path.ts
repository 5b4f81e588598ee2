import { basename } from 'node:path';

/** Attributes by OpenTelemetry's names. */
export type Attributes = Readonly<Record<string, string>>;

/** `NAMESPACE_POD_UID/CONTAINER/RESTARTS.log` and its rotated copies. */
const POD = /\/pods\/([^/_]+)_([^/_]+)_([^/_]+)\/([^/]+)\/(\d+)\.log[^/]*$/;
/** `POD_NAMESPACE_CONTAINER-ID.log`: a link to the file below `pods`. */
const LINK = /\/containers\/([^/_]+)_([^/_]+)_([^/]+)-([0-9a-f]{64})\.log[^/]*$/;
/** `ID/ID-json.log` of Docker. */
const DOCKER = /\/containers\/([0-9a-f]{64})\/\1-json\.log[^/]*$/;

/** What the path of a container's log file says of it; undefined for any other path. */
export function attributesOfPath(path: string): Attributes | undefined {
  const pod = POD.exec(path);
  if (pod !== null) {
    const [, namespace = '', name = '', uid = '', container = '', restarts = ''] = pod;
    return {
      'k8s.namespace.name': namespace,
      'k8s.pod.name': name,
      'k8s.pod.uid': uid,
      'k8s.container.name': container,
      'k8s.container.restart_count': restarts,
    };
  }
  const link = LINK.exec(path);
  if (link !== null) {
    const [, name = '', namespace = '', container = '', id = ''] = link;
    return {
      'k8s.namespace.name': namespace,
      'k8s.pod.name': name,
      'k8s.container.name': container,
      'container.id': id,
    };
  }
  const id = DOCKER.exec(path)?.[1];
  return id === undefined ? undefined : { 'container.id': id };
}

/** The beginning of the link's name that Kubernetes makes for the file of a pod, without the container's id. */
export function linkPrefix(attributes: Attributes): string {
  const part = (name: string): string => attributes[name] ?? '';
  return `${part('k8s.pod.name')}_${part('k8s.namespace.name')}_${part('k8s.container.name')}-`;
}

/** The id that a link's name ends with. */
export function idOfLink(name: string): string | undefined {
  return /-([0-9a-f]{64})\.log$/.exec(basename(name))?.[1];
}
