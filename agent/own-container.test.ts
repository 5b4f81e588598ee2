import { expect, test } from 'vitest';
import { ownContainerGlobs } from './own-container.ts';

const ID = '0f'.repeat(32);
const OTHER = 'ab'.repeat(32);

test('an agent in a container does not read what it writes itself', () => {
  const mounts = `812 790 8:1 /var/lib/docker/containers/${ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n`;
  expect(ownContainerGlobs(mounts, '0::/\n')).toEqual([`/**/containers/${ID}/*`, `/**/containers/*-${ID}.log*`]);
  expect(ownContainerGlobs('', `12:pids:/docker/${ID}\n`)).toHaveLength(2);
  const pod = '9 8 8:1 /var/lib/kubelet/pods/3f1c-9a/etc-hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw\n';
  expect(ownContainerGlobs(pod, `0::/kubepods.slice/cri-containerd-${ID}.scope`)).toContain('/**/pods/*_3f1c-9a/**');
});

test('an agent on the host leaves out none of the containers that are mounted beside it', () => {
  const mounts = [
    `51 30 0:48 / /var/lib/docker/containers/${OTHER}/mounts/shm rw - tmpfs shm rw`,
    '52 30 0:49 / /var/lib/kubelet/pods/3f1c-9a/volumes/kubernetes.io~projected/token rw - tmpfs tmpfs rw',
  ].join('\n');
  expect(ownContainerGlobs(mounts, '0::/system.slice/outrider-agent.service\n')).toEqual([]);
});
