import { request } from 'node:http';
import type { Socket } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/** Never behind a proxy. */
const HERE = ['localhost', '127.0.0.1', '::1'];

/**
 * What an environment says of proxies, in the names that gRPC reads by itself: HTTPS_PROXY and NO_PROXY count in either case, the lower one first, and
 * HTTP_PROXY says nothing, for everything that the agent sends is TLS. An empty value is no proxy.
 */
export function proxyVariables(env: Environment): { https_proxy: string; http_proxy: string; no_proxy: string } {
  const excepted = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(',').map((host) => host.trim());
  const none = [...new Set([...excepted.filter((host) => host !== ''), ...HERE])];
  return { https_proxy: env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '', http_proxy: '', no_proxy: none.join(',') };
}

/** The proxy by which a host is reached; undefined when it is reached directly. NO_PROXY names hosts and what ends with them, or `*`. */
export function proxyFor(host: string, env: Environment): URL | undefined {
  const { https_proxy: proxy, no_proxy: excepted } = proxyVariables(env);
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  const isExcepted = (one: string): boolean => {
    const end = one.replace(/^\*?\./, '').toLowerCase();
    return one === '*' || name === end || name.endsWith(`.${end}`);
  };
  if (proxy === '' || excepted.split(',').some(isExcepted)) return undefined;
  const text = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (!URL.canParse(text) || new URL(text).protocol !== 'http:')
    throw new Error('HTTPS_PROXY is no address of a proxy: http://host:port');
  return new URL(text);
}

/** A connection to a host through a proxy, for TLS to go over. */
export function openTunnel(proxy: URL, target: { host: string; port: number }, timeoutMs: number): Promise<Socket> {
  const { hostname, port, username, password } = proxy;
  const secret = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const path = `${target.host}:${target.port}`;
  return new Promise((resolve, reject) => {
    const call = request({
      ...{ method: 'CONNECT', host: hostname, port: port === '' ? 80 : port, path, timeout: timeoutMs, agent: false },
      headers: { host: path, ...(username === '' ? {} : { 'proxy-authorization': `Basic ${secret}` }) },
    });
    call.on('connect', ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy at ${proxy.host} answered ${statusCode}`));
    });
    call.on('timeout', () => call.destroy(new Error(`the proxy at ${proxy.host} did not answer`)));
    call.on('error', reject);
    call.end();
  });
}
