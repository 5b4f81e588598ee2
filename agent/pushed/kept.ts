import { Type, type Static } from 'typebox';
import { PushedDocument } from '#proto/agent/v1/pushed.ts';
import { keptFile } from './kept-file.ts';

const Pushed = Type.Object({ revision: Type.String(), digest: Type.String(), document: PushedDocument });
/** Settings that the hub pushed. */
export type Pushed = Static<typeof Pushed>;

const Verdict = Type.Object({
  revision: Type.String(),
  digest: Type.String(),
  state: Type.Enum(['trying', 'applied', 'refused', 'rolled-back']),
  /** A stable code, and words for a person; empty while nothing is wrong. */
  code: Type.String(),
  problem: Type.String(),
  atMs: Type.Number(),
});
/** What became of the settings that were pushed last. */
export type Verdict = Static<typeof Verdict>;

const Kept = Type.Object({
  /** Those that the agent was well with. */
  proven: Type.Optional(Pushed),
  /** Those that are tried out, in the place of the proven ones. */
  trial: Type.Optional(
    Type.Object({
      pushed: Pushed,
      /** Starts of the agent since the trial began that no orderly stop preceded. */
      starts: Type.Integer(),
      before: Type.Object({
        working: Type.Array(Type.String()),
        answering: Type.Record(Type.String(), Type.Array(Type.String())),
        strains: Type.Array(Type.String()),
      }),
    }),
  ),
  verdict: Type.Optional(Verdict),
});
/** What the agent keeps of what the hub pushed. */
export type Kept = Static<typeof Kept>;

const fileIn = (dataFolder: string) => keptFile(dataFolder, 'settings.json', Kept);

/** Reads what is kept. What is in it is held against the closed list again. */
export const readKept = (dataFolder: string): Kept | undefined => fileIn(dataFolder).read();

/** Keeps it. */
export const writeKept = (dataFolder: string, kept: Kept): void => fileIn(dataFolder).write(kept);

/** The settings that are in force: those on trial, else the proven ones. */
export const inForce = (kept: Kept | undefined): Pushed | undefined => kept?.trial?.pushed ?? kept?.proven;
