/** `scheme://user:password@host`. */
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@]{0,80}:)[^\s@/]{1,200}(?=@)/gi;
/** `password=…`, `--token …`, `"api_key": "…"`. */
const NAMED_SECRET =
  /((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key)["']?(?:\s*[=:]\s*["']?|\s+))[^\s"',;&]{1,400}/gi;

/** Replaces secrets in a text that is to leave the host. */
export function redact(text: string): string {
  return text.replace(URL_PASSWORD, '$1***').replace(NAMED_SECRET, '$1***');
}
