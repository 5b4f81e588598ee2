const number = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const STEPS: readonly [seconds: number, unit: string, below: string, parts: number][] = [
  [86_400, 'd', 'h', 24],
  [3_600, 'h', 'min', 60],
  [60, 'min', 's', 60],
];

function plain(value: number): string {
  return Math.abs(value) >= 1000 ? whole.format(value) : number.format(value);
}

function bytes(value: number): string {
  const size = Math.abs(value);
  const power = size < 1 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log(size) / Math.log(1024)));
  return `${plain(value / 1024 ** power)} ${BYTES[power] ?? 'B'}`;
}

/** A length of time for people: 3.2 ms, 45 s, 4 min, 2 h 10 min. */
export function duration(seconds: number): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? '-' : '';
  if (size === 0) return '0 s';
  if (size < 0.001) return `${sign}${number.format(size * 1e6)} µs`;
  if (size < 1) return `${sign}${number.format(size * 1000)} ms`;
  if (size < 59.5) return `${sign}${number.format(size)} s`;
  for (const [length, unit, below, parts] of STEPS) {
    if (size < length - length / parts / 2) continue;
    const rounded = Math.round((size / length) * parts);
    const [upper, rest] = [Math.floor(rounded / parts), rounded % parts];
    return `${sign}${plain(upper)} ${unit}${rest === 0 || upper > 9 ? '' : ` ${rest} ${below}`}`;
  }
  return `${sign}1 min`;
}

function counted(value: number, noun: string): string {
  const one = noun.replaceAll('_', ' ');
  if (value === 1) return `1 ${one}`;
  return `${plain(value)} ${one}${/(s|x|ch)$/.test(one) ? 'es' : 's'}`;
}

/** A value in a UCUM unit of the catalogue, for people: 1.4 GiB, 12 %, 3.2 ms. A unit that ends in `/s` is a rate. */
export function quantity(value: number, unit: string): string {
  if (!Number.isFinite(value)) return 'no value';
  if (unit === '1') return `${number.format(value * 100)} %`;
  if (unit === 's/s') return `${number.format(value * 100)} % of the time`;
  if (unit.endsWith('/s')) return `${quantity(value, unit.slice(0, -2))}/s`;
  if (unit === 'By') return bytes(value);
  if (unit === 's') return duration(value);
  const noun = /^\{(.+)\}$/.exec(unit)?.[1];
  if (noun !== undefined) return counted(value, noun);
  return unit === '' ? plain(value) : `${plain(value)} ${unit}`;
}
