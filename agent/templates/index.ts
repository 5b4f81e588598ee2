export { createMiner, type Miner } from './miner.ts';
export { fill } from './parameters.ts';
export { plainTextOf } from './plain.ts';
export { isSaved as isSavedTemplates } from './state.ts';
export { ID_LENGTH, idOf, rootOf, textOfTemplate, type Template } from './template.ts';
export { createLineTemplates, type FoundTemplate, type Kind, type LineTemplates } from './told.ts';
