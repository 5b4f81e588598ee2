import fc from 'fast-check';
import { expect, test } from 'vitest';
import { containerOf, podOf } from './container-id.ts';

const id = 'ab12'.repeat(16);
const pod = 'pod8c7f4b1e-1111-2222-3333-444455556666';

test.each([
  ['docker', `/system.slice/docker-${id}.scope`],
  ['docker', `/docker/${id}`],
  ['podman', `/machine.slice/libpod-${id}.scope`],
  ['podman', `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`],
  [
    'containerd',
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-${pod.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope`,
  ],
  ['cri-o', `/kubepods.slice/kubepods-${pod}.slice/crio-${id}.scope`],
  ['kubernetes', `/kubepods/besteffort/${pod}/${id}`],
  ['containerd', `/k8s.io/${id}`],
])('knows a container of %s by its path %s', (runtime, path) => {
  expect(containerOf(path)).toEqual({ id, runtime });
});

test('knows an LXC by its name, and nothing else for a container', () => {
  expect(containerOf('/lxc.payload.web-1')).toEqual({ id: 'web-1', runtime: 'lxc' });
  for (const path of ['/', '/system.slice/ssh.service', '/kubepods.slice', `/kubepods/${pod}`, `/docker/${id}/init`])
    expect(containerOf(path)).toBeUndefined();
});

test('knows the pod whichever way the kubelet writes it', () => {
  const uid = pod.slice(3);
  expect([podOf(`/kubepods/${pod}/${id}`), podOf(`/kubepods-${pod.replaceAll('-', '_')}.slice`)]).toEqual([uid, uid]);
  expect(podOf(`/docker/${id}`)).toBeUndefined();
});

test('no path stops it', () => {
  fc.assert(
    fc.property(
      fc.string(),
      (path) =>
        void expect([undefined, 'object']).toContain(typeof containerOf(path) === 'object' ? 'object' : undefined),
    ),
  );
});
