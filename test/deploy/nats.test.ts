import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestAuthority } from '#kit/authority.ts';
import { connect, nkeyAuthenticator } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { LinkConfig, linkFaults, type LinkSettings } from '../../agent/link/config.ts';
import { makeSeeds, serverSettings } from '../../hub/services/ingest/nats/keys.ts';
import { onOwnServer } from '../services/index.ts';
import { nats } from '../services/nats.ts';
import { read } from './settings.ts';

interface Values {
  settings: { ingest: { nats: { servers: string[] } } };
  agent: { settings: { link: unknown } };
}

test('the agents of the example take its link, and send to the servers that its hub takes batches from', () => {
  const { settings, agent } = parse(read('helm/examples/agents-over-nats.yaml')) as Values;
  const link = Value.Default(LinkConfig, agent.settings.link) as LinkSettings;
  expect([...Value.Errors(LinkConfig, link)]).toEqual([]);
  expect(linkFaults(link)).toEqual([]);
  expect(link).toMatchObject({ transport: 'nats', nats: { servers: settings.ingest.nats.servers } });
});

await onOwnServer(nats, (start) => {
  test('a server with agents.conf lets its hub in over TLS, keeps what is sent, and keeps strangers out', async () => {
    const authority = await createTestAuthority();
    const server = await start();
    await server.kill();
    const { folder } = server.instance;
    const seeds = makeSeeds();
    const { key, cert } = await authority.server();
    mkdirSync(join(folder, 'tls'));
    writeFileSync(join(folder, 'tls', 'tls.crt'), cert);
    writeFileSync(join(folder, 'tls', 'tls.key'), key);
    writeFileSync(join(folder, 'agents-accounts.conf'), serverSettings(seeds));
    const { port } = new URL(server.address.url);
    const moved = read('nats/agents.conf')
      .replace('port: 4222', `listen: "127.0.0.1:${port}"`)
      .replace('http: 127.0.0.1:8222', '')
      .replaceAll('/etc/nats', folder)
      .replace('store_dir: /data', `store_dir: ${JSON.stringify(join(folder, 'jetstream'))}`);
    writeFileSync(join(folder, 'nats.conf'), moved);
    if (server.address.program !== '')
      execFileSync(server.address.program, ['-t', '--config', join(folder, 'nats.conf')], { stdio: 'pipe' });
    await server.again();
    const servers = [`tls://127.0.0.1:${port}`];
    const tls = { ca: authority.ca };
    const authenticator = nkeyAuthenticator(Buffer.from(seeds.hub, 'latin1'));
    const hub = await connect({ servers, tls, authenticator });
    const manager = await jetstreamManager(hub);
    expect(hub.info).toMatchObject({ tls_required: true, max_payload: 8 * 1024 * 1024 });
    expect((await manager.getAccountInfo()).limits).toBeDefined();
    await hub.close();
    await expect(connect({ servers, tls, timeout: 5000 })).rejects.toThrow(/authorization|timeout/i);
  });
});
