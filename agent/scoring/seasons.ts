const HOURS = 24;
const WEEK = 168;
/** Nats times this is what one byte holds. */
const STEPS = 4;

/** Bytes that a metric's memory of seasons takes: the peaks of each hour of the last two days and of the last two weeks. */
export const SEASON_BYTES = 2 * HOURS + 2 * WEEK;

const DAY_1 = 0;
const DAY_2 = HOURS;
const WEEK_1 = 2 * HOURS;
const WEEK_2 = 2 * HOURS + WEEK;

/** An hour since 1970 (UTC) as the hour of its week; negative ones too. */
const hourOfWeek = (hour: number): number => ((hour % WEEK) + WEEK) % WEEK;

/** Puts the peak surprise of an hour that has ended into the memory of its hour of the day and of the week. */
export function rememberHour(memory: Uint8Array, at: number, hour: number, peak: number): void {
  const week = hourOfWeek(hour);
  const day = week % HOURS;
  const byte = Math.min(255, Math.round(peak * STEPS));
  memory[at + DAY_2 + day] = memory[at + DAY_1 + day]!;
  memory[at + DAY_1 + day] = byte;
  memory[at + WEEK_2 + week] = memory[at + WEEK_1 + week]!;
  memory[at + WEEK_1 + week] = byte;
}

/** Nats that were seen at this hour, give or take one, on both of the last two days or in both of the last two weeks. */
export function expectedAt(memory: Uint8Array, at: number, hour: number): number {
  let most = 0;
  for (let beside = -1; beside <= 1; beside++) {
    const week = hourOfWeek(hour + beside);
    const day = week % HOURS;
    const daily = Math.min(memory[at + DAY_1 + day]!, memory[at + DAY_2 + day]!);
    const weekly = Math.min(memory[at + WEEK_1 + week]!, memory[at + WEEK_2 + week]!);
    most = Math.max(most, daily, weekly);
  }
  return most / STEPS;
}
