import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { attributesOfFile } from './attributes.ts';
import { attributesOfDocker } from './docker.ts';
import { attributesOfPath } from './path.ts';

const ID = 'c0ffee'.repeat(10) + 'beef';
const folder = mkdtempSync(join(tmpdir(), 'outrider-containers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const POD = '/var/log/pods/shop_web-1_6f9a-11/nginx/3.log';

test('the path of a container’s log file says whose it is, also of a rotated one', () => {
  const pod = {
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'web-1',
    'k8s.pod.uid': '6f9a-11',
    'k8s.container.name': 'nginx',
    'k8s.container.restart_count': '3',
  };
  for (const path of [POD, `${POD}.20260131-120000`, `${POD}.20260131-120000.gz`])
    expect(attributesOfPath(path)).toEqual(pod);
  expect(attributesOfPath(`/var/log/containers/web-1_shop_side-car-${ID}.log`)).toEqual({
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': 'web-1',
    'k8s.container.name': 'side-car',
    'container.id': ID,
  });
  expect(attributesOfPath(`/var/lib/docker/containers/${ID}/${ID}-json.log`)).toEqual({ 'container.id': ID });
});

test.each([
  '/var/log/app.log',
  '/var/log/pods/x.log',
  '/var/log/containers/app.log',
  `/containers/${ID}/other-json.log`,
])('%s is no container’s file', (path) => {
  expect(attributesOfPath(path)).toBeUndefined();
  expect(attributesOfFile(path)).toBeUndefined();
});

test('the id of a pod’s container comes from the link that leads to its file', () => {
  const at = join(folder, 'pods', 'shop_web-1_6f9a-11', 'nginx');
  mkdirSync(at, { recursive: true });
  mkdirSync(join(folder, 'containers'), { recursive: true });
  for (const name of ['2.log', '3.log']) writeFileSync(join(at, name), '');
  symlinkSync(join(at, '2.log'), join(folder, 'containers', `web-1_shop_nginx-${'a'.repeat(64)}.log`));
  symlinkSync(join(at, '3.log'), join(folder, 'containers', `web-1_shop_nginx-${ID}.log`));
  expect(attributesOfFile(join(at, '3.log'))).toMatchObject({ 'container.id': ID, 'k8s.pod.name': 'web-1' });
});

test('Docker’s description of a container gives its name, its image and its labels', () => {
  const at = join(folder, 'docker', 'containers', ID);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, `${ID}-json.log`), '');
  const Labels = {
    'com.docker.compose.service': 'web',
    'io.kubernetes.pod.name': 'web-1',
    'io.kubernetes.sandbox.id': 'x',
  };
  const description = { ID, Name: '/shop-web-1', Config: { Image: 'registry:5000/shop/web:1.27@sha256:ab', Labels } };
  writeFileSync(join(at, 'config.v2.json'), JSON.stringify(description));
  expect(attributesOfFile(join(at, `${ID}-json.log`))).toEqual({
    'container.id': ID,
    'container.name': 'shop-web-1',
    'container.image.name': 'registry:5000/shop/web',
    'container.image.tags': '1.27',
    'container.label.com.docker.compose.service': 'web',
    'k8s.pod.name': 'web-1',
  });
});

test('a hostile description is bounded, and what is none says nothing', () => {
  const labels = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`label-${n}`, 'x'.repeat(10_000)]));
  const told = attributesOfDocker(JSON.stringify({ Name: 'n'.repeat(10_000), Config: { Labels: labels } }));
  expect(Object.keys(told)).toHaveLength(17);
  expect(Object.values(told).every((value) => value.length <= 256)).toBe(true);
  for (const text of ['', '{', '[]', 'null', '{"Name":1}', '{"Config":{"Labels":{"a":1}}}'])
    expect(attributesOfDocker(text)).toEqual({});
});
