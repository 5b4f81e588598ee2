import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { PushedDocument } from '#proto/agent/v1/pushed.ts';
import { writeFileDurably } from '#sdk';

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

const FOLDER = 'pushed';
const fileOf = (dataFolder: string): string => join(dataFolder, FOLDER, 'settings.json');

/** Reads what is kept; undefined when nothing is, when it is damaged, or when this user may not read it. What is in it is held against the closed list again. */
export function readKept(dataFolder: string): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(readFileSync(fileOf(dataFolder), 'utf8'));
    return Value.Check(Kept, kept) ? kept : undefined;
  } catch {
    return undefined; // The hub pushes again what is missing.
  }
}

/** Keeps it, so that a crash leaves the old or the new. */
export function writeKept(dataFolder: string, kept: Kept): void {
  mkdirSync(join(dataFolder, FOLDER), { recursive: true, mode: 0o700 });
  writeFileDurably(fileOf(dataFolder), `${JSON.stringify(kept, null, 2)}\n`);
}

/** The settings that are in force: those on trial, else the proven ones. */
export const inForce = (kept: Kept | undefined): Pushed | undefined => kept?.trial?.pushed ?? kept?.proven;
