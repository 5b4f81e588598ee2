const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const PLAIN = ['', ' k', ' M', ' G', ' T'];

/** How the values of one chart or column are written: all in the same scaled unit. */
export interface Scaling {
  /** Divides a value in its base unit. */
  divisor: number;
  /** Follows the number, with its space. */
  suffix: string;
}

const power = (size: number, base: number, highest: number): number =>
  size < base ? 0 : Math.min(highest, Math.floor(Math.log(size) / Math.log(base) + 1e-9));

function timeScaling(size: number): Scaling {
  if (size === 0) return { divisor: 1, suffix: ' s' };
  if (size < 1e-3) return { divisor: 1e-6, suffix: ' µs' };
  if (size < 1) return { divisor: 1e-3, suffix: ' ms' };
  if (size < 120) return { divisor: 1, suffix: ' s' };
  if (size < 7200) return { divisor: 60, suffix: ' min' };
  if (size < 172_800) return { divisor: 3600, suffix: ' h' };
  return { divisor: 86_400, suffix: ' d' };
}

/** Chooses the unit in which a value of the size `most` is easy to read. `unit` is UCUM; a trailing `/s` makes a rate. */
export function scalingFor(most: number, unit: string): Scaling {
  const size = Math.abs(Number.isFinite(most) ? most : 0);
  if (unit === '1') return { divisor: 0.01, suffix: ' %' };
  if (unit === 's/s') return { divisor: 0.01, suffix: ' %' };
  if (unit === 's') return timeScaling(size);
  const rate = unit.endsWith('/s') ? '/s' : '';
  if (unit === 'By' || unit === 'By/s') {
    const step = power(size, 1024, BYTES.length - 1);
    return { divisor: 1024 ** step, suffix: ` ${BYTES[step] ?? 'B'}${rate}` };
  }
  const step = size < 10_000 ? 0 : power(size, 1000, PLAIN.length - 1);
  const noun = unit === '' || unit.startsWith('{') ? '' : ` ${rate === '' ? unit : unit.slice(0, -2)}`;
  return { divisor: 1000 ** step, suffix: `${PLAIN[step] ?? ''}${noun}${rate}` };
}

/** A number with three significant digits and no exponent; whole digits are never cut. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1).replace(/\.0$/, '');
  if (size === 0) return '0';
  if (size >= 0.995) return value.toFixed(2).replace(/\.?0+$/, '');
  if (size < 0.001) return size < 0.0005 ? '~0' : value.toFixed(3);
  return value.toFixed(size < 0.095 ? 3 : 2).replace(/\.?0+$/, '');
}

/** A value in a scaled unit. */
export function scaled(value: number | null | undefined, scaling: Scaling): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return `${digits(value / scaling.divisor)}${scaling.suffix}`;
}

/** A value in the unit that suits it: 1.4 GiB, 12 %, 3.2 ms. A dash when there is none. */
export function quantity(value: number | null | undefined, unit: string): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? '–'
    : scaled(value, scalingFor(value, unit));
}

/** The unit in which a metric of this kind is drawn: counters are rates. */
export function drawnUnit(unit: string, kind: 'gauge' | 'counter'): string {
  return kind === 'counter' ? `${unit}/s` : unit;
}

/** The number of things, with thin groups: 12 345. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

/** What to divide a typed value by so that it is in the base unit: people type 90 for 90 %. */
export function typedUnit(unit: string): { factor: number; label: string } {
  if (unit === '1' || unit === 's/s') return { factor: 0.01, label: '%' };
  if (unit.startsWith('By')) return { factor: 1024 ** 2, label: `MiB${unit.slice(2)}` };
  return { factor: 1, label: unit.replace(/^\{(.*)\}/, '$1').replaceAll('_', ' ') };
}
