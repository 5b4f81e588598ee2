import {
  BYTES,
  DAY_PEAKS,
  FLOATS,
  HOUR,
  HOUR_SAMPLES,
  HOUR_SUM,
  PEAK,
  SEASON_AWAY,
  SEASON_SEEN,
  SEASON_WIDTH,
  SLOT_MEANS,
  SLOT_SEEN,
  TIME,
  VALUE,
  WEEK_PEAKS,
  type Memory,
} from './layout.ts';

const DAY = 24;
const WEEK = 168;
const HOUR_MS = 3_600_000;
/** Nats times this is what one byte of a peak holds. */
const STEPS = 4;
/** Periods that must have been seen before an hour is expected to be like before. */
const PERIODS = 2;
/** Least weight of the newest day or week in the mean of its hour. */
const LEARNING = 0.15;
/** Samples over which the distance from the season is averaged, and those that its usual size is learnt from. */
const SMOOTH = 12;
const LONG = 2000;

/** An hour since 1970 (UTC) as the hour of its day or week; negative ones too. */
const within = (hour: number, period: number): number => ((hour % period) + period) % period;

/** Mean of the hours of one period around a moment, between the middles of two hours; NaN while either was seen less than twice. */
function expectedValue({ floats, bytes }: Memory, place: number, hours: number, period: number): number {
  const offset = period === DAY ? 0 : DAY;
  const hour = Math.floor(hours);
  const aside = hours - hour - 0.5;
  const here = offset + within(hour, period);
  const there = offset + within(aside < 0 ? hour - 1 : hour + 1, period);
  const seen = place * BYTES + SLOT_SEEN;
  if (bytes[seen + here]! < PERIODS || bytes[seen + there]! < PERIODS) return NaN;
  const means = place * FLOATS + SLOT_MEANS;
  const share = Math.abs(aside);
  return floats[means + here]! * (1 - share) + floats[means + there]! * share;
}

/** Puts the mean of an hour that has ended to those of its hour of the day and of the week. */
function learnHour({ floats, bytes }: Memory, place: number, hour: number): void {
  const at = place * FLOATS;
  if (floats[at + HOUR_SAMPLES] === 0) return;
  const mean = floats[at + HOUR_SUM]! / floats[at + HOUR_SAMPLES]!;
  for (let n = 0; n < 2; n++) {
    const slot = n === 0 ? within(hour, DAY) : DAY + within(hour, WEEK);
    const seen = bytes[place * BYTES + SLOT_SEEN + slot]!;
    const before = floats[at + SLOT_MEANS + slot]!;
    floats[at + SLOT_MEANS + slot] = before + Math.max(LEARNING, 1 / (seen + 1)) * (mean - before);
    if (seen < 255) bytes[place * BYTES + SLOT_SEEN + slot] = seen + 1;
  }
}

/** Puts the greatest surprise of an hour that has ended beside those of the days and weeks before. */
function rememberPeak({ floats, bytes }: Memory, place: number, hour: number): void {
  const byte = Math.min(255, Math.round(floats[place * FLOATS + PEAK]! * STEPS));
  const day = place * BYTES + DAY_PEAKS + within(hour, DAY);
  const week = place * BYTES + WEEK_PEAKS + within(hour, WEEK);
  bytes[day + DAY] = bytes[day]!;
  bytes[day] = byte;
  bytes[week + WEEK] = bytes[week]!;
  bytes[week] = byte;
}

/** Moves a metric into the hour of its time; what was learnt of the hour before goes into its seasons. */
export function enterHour(memory: Memory, place: number): void {
  const { floats } = memory;
  const at = place * FLOATS;
  const hour = Math.floor(floats[at + TIME]! / HOUR_MS);
  if (hour === floats[at + HOUR]!) return;
  learnHour(memory, place, floats[at + HOUR]!);
  rememberPeak(memory, place, floats[at + HOUR]!);
  floats[at + HOUR] = hour;
  floats[at + PEAK] = floats[at + HOUR_SUM] = floats[at + HOUR_SAMPLES] = 0;
}

/**
 * How far the last dozen values lie from what this hour of the day or of the week (the nearer of both) is used to, in usual distances; then
 * learns the value. -1 until two periods were seen; `floats[SEASON_AWAY]` says which side.
 */
export function seasonalDistance(memory: Memory, place: number): number {
  const { floats } = memory;
  const at = place * FLOATS;
  const x = floats[at + VALUE]!;
  floats[at + HOUR_SUM] = floats[at + HOUR_SUM]! + x;
  floats[at + HOUR_SAMPLES] = floats[at + HOUR_SAMPLES]! + 1;
  const hours = floats[at + TIME]! / HOUR_MS;
  const byDay = x - expectedValue(memory, place, hours, DAY);
  if (Number.isNaN(byDay)) return -1;
  const byWeek = x - expectedValue(memory, place, hours, WEEK);
  const away = Math.abs(byWeek) < Math.abs(byDay) ? byWeek : byDay;
  const mean = floats[at + SEASON_AWAY]! + (away - floats[at + SEASON_AWAY]!) / SMOOTH;
  floats[at + SEASON_AWAY] = mean;
  const width = floats[at + SEASON_WIDTH]!;
  const seen = floats[at + SEASON_SEEN]! + 1;
  floats[at + SEASON_SEEN] = seen;
  const size = Math.abs(away);
  const capped = width > 0 ? Math.min(size, 6 * width) : size;
  floats[at + SEASON_WIDTH] = width + Math.max(1 / LONG, 1 / (seen + 20)) * (capped - width);
  return Math.abs(mean) / (width + 1e-9 * Math.abs(x) + 1e-12);
}

/** Nats that were seen at this hour, give or take one, on both of the last two days or in both of the last two weeks. */
export function expectedNats({ floats, bytes }: Memory, place: number): number {
  const hour = floats[place * FLOATS + HOUR]!;
  let most = 0;
  for (let beside = -1; beside <= 1; beside++) {
    const day = place * BYTES + DAY_PEAKS + within(hour + beside, DAY);
    const week = place * BYTES + WEEK_PEAKS + within(hour + beside, WEEK);
    most = Math.max(most, Math.min(bytes[day]!, bytes[day + DAY]!), Math.min(bytes[week]!, bytes[week + WEEK]!));
  }
  return most / STEPS;
}
