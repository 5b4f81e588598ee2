import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Attributes } from './path.ts';

/** The part of Docker's `config.v2.json` that is asked for. */
const Container = Type.Object({
  Name: Type.Optional(Type.String()),
  Config: Type.Optional(
    Type.Object({
      Image: Type.Optional(Type.String()),
      Labels: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])),
    }),
  ),
});

/** Labels of a container that are told, and their length. */
const LABELS = 16;
const LABEL_LENGTH = 100;
const TEXT_LENGTH = 256;

/** Labels by which Kubernetes names what runs in Docker. */
const KUBERNETES: Readonly<Record<string, string>> = {
  'io.kubernetes.pod.namespace': 'k8s.namespace.name',
  'io.kubernetes.pod.name': 'k8s.pod.name',
  'io.kubernetes.pod.uid': 'k8s.pod.uid',
  'io.kubernetes.container.name': 'k8s.container.name',
};

const bounded = (text: string): string => text.slice(0, TEXT_LENGTH);

function attributesOfImage(image: string): Attributes {
  const [, name = '', tag] = /^([^@]*?)(?::([^:/@]+))?(?:@.*)?$/.exec(image) ?? [];
  if (name === '') return {};
  return {
    'container.image.name': bounded(name),
    ...(tag === undefined ? {} : { 'container.image.tags': bounded(tag) }),
  };
}

function attributesOfLabels(labels: Readonly<Record<string, string>>): Attributes {
  const named = Object.entries(labels).filter(([label, value]) => value !== '' && label.length <= LABEL_LENGTH);
  const known = named.filter(([label]) => Object.hasOwn(KUBERNETES, label));
  const others = named
    .filter(([label]) => !label.startsWith('io.kubernetes.') && !label.startsWith('annotation.'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, LABELS);
  return Object.fromEntries([
    ...known.map(([label, value]) => [KUBERNETES[label] ?? label, bounded(value)]),
    ...others.map(([label, value]) => [`container.label.${label}`, bounded(value)]),
  ]);
}

/** What Docker's own description of a container says: its name, image and labels. Nothing when it is something else. */
export function attributesOfDocker(text: string): Attributes {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return {}; // Being written, or none.
  }
  if (!Value.Check(Container, found)) return {};
  const name = (found.Name ?? '').replace(/^\//, '');
  return {
    ...(name === '' ? {} : { 'container.name': bounded(name) }),
    ...attributesOfImage(found.Config?.Image ?? ''),
    ...attributesOfLabels(found.Config?.Labels ?? {}),
  };
}
