import type { ReactNode } from 'react';
import './state-word.css';

/** How a host is, in a word. */
export type HostState = 'healthy' | 'strained' | 'alerting' | 'silent' | 'new';

const WORDS: Readonly<Record<HostState, { word: string; tone: string; sign: string }>> = {
  healthy: { word: 'Healthy', tone: 'good', sign: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zm3.2 4.9-4 4.6-2.6-2.4 1-1.1 1.5 1.3 3-3.4z' },
  strained: { word: 'Strained', tone: 'warning', sign: 'M8 1.5 15 14H1zm-.8 4.7v4h1.6v-4zm0 5v1.4h1.6v-1.4z' },
  alerting: { word: 'Alerting', tone: 'critical', sign: 'M5 1.5h6L14.5 5v6L11 14.500H5L1.500 11V5zm2.200 3v4.500h1.600V4.500zm0 5.700v1.500h1.600v-1.500z' },
  silent: { word: 'Silent', tone: 'quiet', sign: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM4.500 7.200h7v1.600h-7z' },
  new: { word: 'Waiting', tone: 'info', sign: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.500 6.500 0 0 0 0-13zm0 1.600a4.900 4.900 0 1 1 0 9.800 4.900 4.900 0 0 1 0-9.800z' },
}; // prettier-ignore

/** A state as a sign and a word: never by colour alone. */
export function StateWord({ state }: { state: HostState }): ReactNode {
  const { word, tone, sign } = WORDS[state];
  return (
    <span className={`state-word ${tone}`}>
      <svg width="14" height="14" viewBox="0 0 16 16" fill="currentColor" fillRule="evenodd" aria-hidden="true">
        <path d={sign} />
      </svg>
      {word}
    </span>
  );
}

/** What the state is called. */
export const stateName = (state: HostState): string => WORDS[state].word;
