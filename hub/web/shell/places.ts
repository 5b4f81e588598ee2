/** A section of the page: its name, its address and the keys that lead there. */
export interface Place {
  name: string;
  to: '/' | '/logs' | '/alerts' | '/settings';
  /** The question that it answers. */
  question: string;
  keys: string;
  /** Path of its sign on a grid of 16. */
  sign: string;
}

/** Every section that exists, in the order of the navigation. */
export const PLACES: readonly Place[] = [
  {
    name: 'Overview',
    to: '/',
    question: 'Is anything wrong?',
    keys: 'g o',
    sign: 'M2 13V8h3v5zm4.5 0V3h3v10zM11 13V6h3v7z',
  },
  {
    name: 'Logs',
    to: '/logs',
    question: 'What was written?',
    keys: 'g l',
    sign: 'M2 3h12v1.5H2zm0 4h9v1.5H2zm0 4h11v1.5H2z',
  },
  {
    name: 'Alerts',
    to: '/alerts',
    question: 'What needs me?',
    keys: 'g a',
    sign: 'M8 1.5a4 4 0 0 0-4 4V9l-1.5 2.5h11L12 9V5.5a4 4 0 0 0-4-4zM6.5 13h3a1.5 1.5 0 0 1-3 0z',
  },
  {
    name: 'Settings',
    to: '/settings',
    question: 'How is it set up?',
    keys: 'g s',
    sign: 'M2 4h6v1.5H2zm9 0h3v1.5h-3zM9 3h1.5v3.5H9zM2 10.5h2v1.5H2zm5 0h7v1.5H7zM5 9.5h1.5V13H5z',
  },
];
