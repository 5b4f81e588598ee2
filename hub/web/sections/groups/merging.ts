import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';

/** Those of both lists, each once. */
function both<T>(first: readonly T[] = [], second: readonly T[] = []): T[] {
  const has = new Set(second.map((one) => JSON.stringify(one)));
  return [...first.filter((one) => !has.has(JSON.stringify(one))), ...second];
}

const given = <K extends string, T>(key: K, list: T[]): Partial<Record<K, T[]>> =>
  list.length === 0 ? {} : ({ [key]: list } as Partial<Record<K, T[]>>);

/** A document with all of another one besides: rules of both, and where both give a level or an interval, its own. */
export function keeping(other: PushedDocument, own: PushedDocument): PushedDocument {
  const log = own.log ?? other.log;
  const collectors = { ...other.collectors, ...own.collectors };
  const { patterns: theirs, ...kinds } = other.redact ?? {};
  const { patterns: mine, ...ownKinds } = own.redact ?? {};
  const redact = { ...kinds, ...ownKinds, ...given('patterns', both(theirs, mine)) };
  return {
    ...(log === undefined ? {} : { log }),
    ...(Object.keys(collectors).length === 0 ? {} : { collectors }),
    ...given('drop', both(other.drop, own.drop)),
    ...(Object.keys(redact).length === 0 ? {} : { redact }),
  };
}
