import { Type, type Static } from 'typebox';
import type { Detection, DetectionModel } from '#proto/agent/v1/index.ts';
import { reasonOf } from '#sdk';
import type { HostModel } from '../../../plugins/models/index.ts';
import type { ModelJudges } from './judges.ts';
import type { ModelStore } from './store.ts';

/** Models that one word of the hub may have; what is beyond them is not looked at. */
const MOST_MODELS = 4;
const ALIASES = ['champion', 'shadow'] as const;
type GivenAlias = (typeof ALIASES)[number];

const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Named = Type.Object({
  version: Type.String({ maxLength: 128 }),
  alias: Type.String({ maxLength: 64 }),
  digest: Type.String({ maxLength: 64 }),
  /** Why it is refused; empty: it is not. */
  problem: Type.String({ maxLength: 500 }),
});
type Named = Static<typeof Named>;

/** What is kept of models besides their documents. */
export const KeptModels = Type.Object({
  /** Those that the hub named last. */
  named: Type.Array(Named, { maxItems: MOST_MODELS }),
  /** Those that were in a place: what goes on where one that was named cannot. */
  seated: Type.Array(Type.Object({ alias: Type.Enum([...ALIASES]), digest: Digest }), { maxItems: 2 }),
});
export type KeptModels = Static<typeof KeptModels>;

/** What is to become of what the hub gave. */
export interface GivenModelsChange {
  named: Named[];
  /** False: one that the hub takes for known is not here. */
  isWhole: boolean;
  /** Puts them into their places. */
  apply(): void;
}

/** The models of the hub, as this agent has them. */
export interface GivenModels {
  /** Verifies and keeps documents; nothing else changes. Throws when the disk takes nothing. */
  prepare(models: Detection['models']): GivenModelsChange;
  kept(): KeptModels;
  /** False: one that is kept was not found again. */
  isWhole(): boolean;
  /** Removes the documents of all others. */
  tidy(): void;
  /** What the hub is told of them. */
  report(): { version: string; alias: string; inUse: boolean; problem: string }[];
}

type Resolved = { model: HostModel } | { problem: string } | 'missing';

/** What becomes of one that the hub names: `taken` are the aliases before it, `refused` says why it was refused earlier. */
type Resolve = (one: Named, given: DetectionModel, known: { taken: ReadonlySet<string>; refused: string }) => Resolved;

function createResolve(store: ModelStore): Resolve {
  /** Versions whose documents the hub was asked for because they are not here. */
  const asked = new Set<string>();
  const unpacked = ({ version, digest }: Named, document: string): Resolved => {
    let model: HostModel;
    try {
      model = store.verify(digest, document);
      if (model.document.version !== version) throw new Error(`it calls itself ${model.document.version}`);
    } catch (error) {
      return { problem: reasonOf(error).slice(0, 500) };
    }
    store.keep(digest, document);
    asked.delete(version);
    return { model };
  };
  const found = ({ version, digest }: Named): Resolved => {
    const model = store.read(digest);
    if (model?.document.version === version) return { model };
    if (asked.has(version)) return { problem: 'the hub gives no document of it, and there is none here' };
    asked.add(version);
    return 'missing';
  };
  return (one, given, { taken, refused }) => {
    if (!ALIASES.some((alias) => alias === one.alias)) return { problem: 'this agent knows no such alias' };
    if (taken.has(one.alias)) return { problem: 'there is a model of this alias before it' };
    if (given.digest.length !== 32) return { problem: 'its digest is no SHA-256' };
    if (given.document !== '') return unpacked(one, given.document);
    return refused === '' ? found(one) : { problem: refused };
  };
}

/** Finds again what is kept, puts it into its places, and takes what comes. */
export function createGivenModels(store: ModelStore, judges: ModelJudges, before?: KeptModels): GivenModels {
  const resolve = createResolve(store);
  let named: Named[] = [];
  let isWhole = true;

  const refusalOf = ({ version, digest }: Named): string =>
    named.find((one) => one.version === version && one.digest === digest)?.problem ?? '';
  const seat = (alias: GivenAlias, resolved: Resolved | undefined): void => {
    if (resolved === undefined) judges.seat(alias, undefined);
    // One that cannot be used leaves the one before it where it is.
    else if (resolved !== 'missing' && 'model' in resolved) judges.seat(alias, resolved.model);
  };
  const restore = (kept: KeptModels): void => {
    const modelOf = new Map([...kept.seated, ...kept.named].map(({ digest }) => [digest, store.read(digest)]));
    for (const { alias, digest } of kept.seated) seat(alias, { model: modelOf.get(digest) } as Resolved);
    named = kept.named.filter(({ digest, problem }) => problem !== '' || modelOf.get(digest) !== undefined);
    isWhole = named.length === kept.named.length;
    for (const { alias, digest, problem } of named)
      if (problem === '') judges.seat(alias as GivenAlias, modelOf.get(digest));
  };
  if (before !== undefined) restore(before);

  const seatedNow = (): KeptModels['seated'] =>
    ALIASES.flatMap((alias) => {
      const digest = judges.seated(alias)?.document.digest;
      return digest === undefined ? [] : [{ alias, digest }];
    });
  return {
    prepare(models) {
      const firsts = new Map<string, Resolved>();
      const next: Named[] = [];
      let whole = true;
      for (const given of models.slice(0, MOST_MODELS)) {
        const digest = Buffer.from(given.digest).toString('hex').slice(0, 64);
        const one = { version: given.version.slice(0, 128), alias: given.alias.slice(0, 64), digest, problem: '' };
        const resolved = resolve(one, given, { taken: new Set(firsts.keys()), refused: refusalOf(one) });
        if (!firsts.has(one.alias)) firsts.set(one.alias, resolved);
        if (resolved === 'missing') whole = false;
        else next.push('problem' in resolved ? { ...one, problem: resolved.problem } : one);
      }
      return {
        named: next,
        isWhole: whole,
        apply() {
          [named, isWhole] = [next, whole];
          for (const alias of ALIASES) seat(alias, firsts.get(alias));
        },
      };
    },
    kept: () => ({ named, seated: seatedNow() }),
    isWhole: () => isWhole,
    tidy() {
      const sound = named.filter(({ problem }) => problem === '');
      store.retain(new Set([...sound, ...seatedNow()].map(({ digest }) => digest)));
    },
    report: () =>
      named.map(({ version, alias, digest, problem }) => {
        const isSeated = ALIASES.some((one) => one === alias && judges.seated(one)?.document.digest === digest);
        const inUse = problem === '' && isSeated;
        const why = problem === '' && !inUse ? judges.problem(alias as GivenAlias) : problem;
        return { version, alias, inUse, problem: why };
      }),
  };
}
