export { createMiner, type Miner, type MinerOptions } from './miner.ts';
export { fill } from './parameters.ts';
export { plainTextOf } from './plain.ts';
export { type SavedTemplates } from './state.ts';
export { idOf, rootOf, textOfTemplate, type Template } from './template.ts';
