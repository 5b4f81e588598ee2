import type { ReactNode } from 'react';
import type { StateName } from './rollout-words.ts';

interface Mark {
  word: string;
  sign: string;
  tone: string;
  help: string;
}

const MARKS: Readonly<Record<StateName, Mark>> = {
  healthy: { word: 'Healthy', sign: '✓', tone: 'good', help: 'It has them and is well with them' },
  trying: { word: 'Trying', sign: '◔', tone: 'info', help: 'They are in force, and it looks whether it is well' },
  sending: { word: 'On the way', sign: '→', tone: 'info', help: 'They were sent, and it has not answered yet' },
  waiting: { word: 'Waiting', sign: '◌', tone: 'quiet', help: 'It keeps what it had: its turn has not come' },
  kept: { word: 'Keeps what it had', sign: '=', tone: 'quiet', help: 'The newest revision was halted before its turn came' },
  elsewhere: { word: 'In another group', sign: '↗', tone: 'quiet', help: 'It fits this group too, and has what was pushed to the other one' },
  offline: { word: 'Offline', sign: '○', tone: 'warning', help: 'It gets them as soon as it is there' },
  'rolled back': { word: 'Rolled back', sign: '↺', tone: 'critical', help: 'It tried them and took them back by itself' },
  refused: { word: 'Refused', sign: '✕', tone: 'critical', help: 'It never put them in force' },
  own: { word: 'Own settings', sign: '–', tone: 'quiet', help: 'Nothing was pushed to it' },
}; // prettier-ignore

/** How far an agent is, as a sign and a word. */
export function StateMark({ name }: { name: StateName }): ReactNode {
  const { word, sign, tone, help } = MARKS[name];
  return (
    <span className={tone} title={help}>
      <span aria-hidden="true">{sign}</span> {word}
    </span>
  );
}
