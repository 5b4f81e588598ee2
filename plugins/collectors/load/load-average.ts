/** The three averages of /proc/loadavg; NaN for each that cannot be read. */
export function parseLoadAverage(text: string): [one: number, five: number, fifteen: number] {
  const [one, five, fifteen] = text.split(' ').map((word) => (/^\d+\.\d+$/.test(word) ? Number(word) : NaN));
  return [one ?? NaN, five ?? NaN, fifteen ?? NaN];
}
