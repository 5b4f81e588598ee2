/** Seconds since boot, the first number of /proc/uptime. */
export function parseUptime(text: string): number | undefined {
  const seconds = /^(\d{1,15}(?:\.\d+)?)(?:\s|$)/.exec(text)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
