/** Headers of a call, names in lower case. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** True when a browser made the call for a page of another site. Programs send neither header. */
export function isForeign(headers: Headers): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).host !== host;
}
