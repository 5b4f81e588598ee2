import { FIELDS } from './entry.ts';
import type { JournalSettings } from './config.ts';

/** Where reading begins. */
export type Beginning = { cursor: string } | 'beginning';

const where = ({ directory }: JournalSettings): string[] => [
  '--no-pager',
  '--quiet',
  ...(directory === undefined ? [] : [`--directory=${directory}`]),
];

/** Arguments that follow the journal. The entry of the cursor comes once more: `--after-cursor` would leave out the next one where that entry is gone. */
export function followArguments(settings: JournalSettings, beginning: Beginning): string[] {
  const { units, priority } = settings;
  return [
    ...where(settings),
    ...['--follow', '--no-tail', '--all', '--output=json', `--output-fields=${FIELDS.join(',')}`],
    ...(priority === 'debug' ? [] : [`--priority=${priority}`]),
    ...units.map((unit) => `--unit=${unit}`),
    ...(beginning === 'beginning' ? [] : [`--cursor=${beginning.cursor}`]),
  ];
}

/** Arguments that give the entry of a cursor, or the one that comes next if it is gone; without one, the newest entry. */
export function oneArguments(settings: JournalSettings, cursor: string | undefined): string[] {
  return [
    ...where(settings),
    ...['--lines=1', '--output=json', '--output-fields=PRIORITY'],
    ...(cursor === undefined ? [] : [`--cursor=${cursor}`]),
  ];
}
