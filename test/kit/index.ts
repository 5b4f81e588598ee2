export * from './authority.ts';
export * from './manual-clock.ts';
export * from './programs.ts';
export * from './relational.ts';
export * from './simulated-agent.ts';
export * from './killed-stores.ts';
export * from './stores.ts';
export * from './web.ts';
