import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineServer } from './kind.ts';
import { answers } from './processes.ts';
import { debian, installed } from './sources.ts';

/** Address of an nginx for tests: `/status` is its stub_status, every other path answers 204. */
export interface NginxAddress {
  url: string;
}

const server = (listen: string): string =>
  `server { listen ${listen}; location = /status { stub_status; } location / { return 204; } }`;

/** Everything that it writes lies in its own folder, and it is one process without a master. */
function settings(folder: string, port: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  return [
    `daemon off; master_process off; pid ${join(folder, 'nginx.pid')}; error_log stderr; events {}`,
    `http { access_log off; ${paths.join(' ')} ${server(`127.0.0.1:${port}`)} }`,
  ].join('\n');
}

/** nginx: Debian's package unpacked when none is installed. */
export const nginx = defineServer<NginxAddress>({
  id: 'nginx',
  title: 'nginx',
  container: { image: 'nginx:1.28', port: 80, file: { path: '/etc/nginx/conf.d/default.conf', text: server('80') } },
  sources: [
    installed('nginx'),
    installed('/usr/sbin/nginx'),
    debian({ packages: ['nginx'], program: 'usr/sbin/nginx' }),
  ],
  address: (port) => ({ url: `http://127.0.0.1:${port}` }),
  ready: ({ url }) => answers(`${url}/status`),
  command: ({ program, env = {} }, { folder, port }) => {
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, settings(folder, port));
    return { program, env, args: ['-p', folder, '-c', file] };
  },
});
