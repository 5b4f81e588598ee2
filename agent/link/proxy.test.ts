import { create } from '@bufbuild/protobuf';
import { afterEach, expect, test } from 'vitest';
import { startConnectProxy, type ConnectProxy } from '../../test/kit/connect-proxy.ts';
import { createTestAuthority } from '../../test/kit/authority.ts';
import { startSmallHub, type SmallHub } from '../../test/kit/small-hub.ts';
import { HelloSchema, Stream, type HubMessage } from '#proto/agent/v1/index.ts';
import { agentMessage } from './messages.ts';
import { openTunnel, proxyFor, proxyVariables } from './proxy.ts';
import { grpcTransport } from './transports/grpc.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function proxyBefore(port: () => number): Promise<ConnectProxy> {
  const proxy = await startConnectProxy(port);
  closing.push(() => proxy.stop());
  return proxy;
}

test.each([
  ['hub.example.org', { HTTPS_PROXY: 'http://proxy:3128' }, 'http://proxy:3128/'],
  ['hub.example.org', { HTTPS_PROXY: 'http://one:1', https_proxy: 'proxy:3128' }, 'http://proxy:3128/'],
  ['hub.example.org', { HTTP_PROXY: 'http://proxy:3128' }, undefined],
  ['hub.example.org', { HTTPS_PROXY: '' }, undefined],
  ['hub.example.org', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'a.org, .example.org' }, undefined],
  ['hub.example.org', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'other.example.org' }, 'http://proxy:3128/'],
  ['hub.example.org', { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*' }, undefined],
  ['127.0.0.1', { HTTPS_PROXY: 'http://proxy:3128' }, undefined],
  ['[::1]', { HTTPS_PROXY: 'http://proxy:3128' }, undefined],
])('%s with %j is reached by %s', (host, env, by) => {
  expect(proxyFor(host, env)?.href).toBe(by);
});

test('what is no address of a proxy is told without the secret in it', () => {
  expect(() => proxyFor('hub', { HTTPS_PROXY: 'socks5://us:secret@proxy' })).toThrow(
    'HTTPS_PROXY is no address of a proxy: http://host:port',
  );
});

test('a proxy that does not let us through is told', async () => {
  const proxy = await proxyBefore(() => 1);
  const stranger = new URL(proxy.url.replace('a%20secret', 'guess'));
  await expect(openTunnel(stranger, { host: 'hub.example.org', port: 443 }, 5000)).rejects.toThrow('answered 407');
});

test('the gRPC stream goes through the proxy of the environment', async () => {
  const authority = await createTestAuthority();
  const hub: SmallHub = await startSmallHub(authority, () => Promise.resolve());
  closing.push(() => hub.stop());
  const proxy = await proxyBefore(() => Number(hub.address.split(':')[1]));
  const before = { ...process.env };
  closing.push(() => {
    for (const name of ['https_proxy', 'http_proxy', 'no_proxy']) delete process.env[name];
    Object.assign(process.env, before);
  });
  Object.assign(process.env, proxyVariables({ HTTPS_PROXY: proxy.url }));
  const { key, certificate } = await authority.agent('agent-1');
  const link = 'hub.example.org:4320';
  const identity = { agentId: 'agent-1', link, key, certificate, ca: authority.ca };
  const welcomed = new Promise<HubMessage>((resolve) => {
    void Promise.resolve(grpcTransport(link).open(identity, Stream.LIVE, resolve)).then((wire) => {
      closing.push(() => wire.close());
      wire.send(agentMessage({ case: 'hello', value: create(HelloSchema, { protocol: 1 }) }));
    });
  });
  expect((await welcomed).kind.case).toBe('welcome');
  expect(proxy.asked).toEqual([link]);
});
