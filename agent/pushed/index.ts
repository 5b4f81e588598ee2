export { overFile } from './document.ts';
export type { Condition } from './health.ts';
export { keptFile, pushedFolder } from './kept-file.ts';
export { inForce, readKept, type Pushed, type Verdict } from './kept.ts';
export { countStart, createPushed, type SettingsExchange } from './pushed.ts';
