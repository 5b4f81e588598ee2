/** What collectors stand on that ask something by address: settings of targets, asking all of them at once, HTTP and TLS. */
export { rememberAttributes } from './attributes.ts';
export { failureOf, problems } from './errors.ts';
export { connectHttp } from './http.ts';
export { httpFields, secret, targetList, TlsSettings, type HttpTarget, type Target } from './settings.ts';
export { createTargets, type Reader } from './targets.ts';
export { tlsOptions } from './tls.ts';
