import { defineProblems, Problem, reasonOf, type ProblemMaker } from '#sdk';

/** What a cache on a server may answer with. An operator can cure each while the hub runs, so all are retryable. */
export const problems = defineProblems('cache', {
  unavailable: { status: 503, title: 'The cache does not answer.', retryable: true },
  refused: { status: 503, title: 'The cache refuses the hub.', retryable: true },
  full: { status: 503, title: 'The cache is full.', retryable: true },
  readOnly: { status: 503, title: 'The cache cannot be written to.', retryable: true },
  otherMode: { status: 503, title: 'The cache is a cluster, or is none, against its settings.', retryable: true },
  otherVersion: { status: 503, title: 'The cache is of a version that cannot be used.', retryable: true },
});

const CASES: readonly { says: RegExp; problem: ProblemMaker; advice: string }[] = [
  {
    says: /WRONGPASS|NOAUTH|invalid password|without any password configured/i,
    problem: problems.refused,
    advice: 'Check cache.username and cache.password, or those in cache.url.',
  },
  {
    says: /NOPERM/i,
    problem: problems.refused,
    advice: 'The user of cache.username needs ~PREFIX*, +@read, +@write, +@scripting, +@connection, +info and +time.',
  },
  {
    says: /^OOM|OOM command/i,
    problem: problems.full,
    advice: 'Raise maxmemory, or set maxmemory-policy to volatile-lru.',
  },
  {
    says: /READONLY/i,
    problem: problems.readOnly,
    advice: 'This is a replica: name the primary, or use cache.sentinels and cache.sentinelName, which follow it.',
  },
  {
    says: /MISCONF|NOREPLICAS/i,
    problem: problems.readOnly,
    advice: 'Its disk or its replicas fail; see its log.',
  },
  {
    says: /MOVED|CROSSSLOT/,
    problem: problems.otherMode,
    advice: 'This is a cluster: name its nodes in cache.nodes instead of cache.url.',
  },
  {
    says: /cluster support disabled/i,
    problem: problems.otherMode,
    advice: 'This is no cluster: name it in cache.url instead of cache.nodes.',
  },
];

/** Errors of ioredis that only wrap another one. */
function innermost(error: unknown): string {
  const { lastNodeError } = error as { lastNodeError?: Error };
  return lastNodeError === undefined ? reasonOf(error) : `${reasonOf(error)} ${reasonOf(lastNodeError)}`;
}

/** What went wrong as a Problem that names the server and what to do; `last` is what the connection failed with, if it is away. */
export function problemOf(error: unknown, address: string, last?: unknown): Problem {
  if (error instanceof Problem) return error;
  const reasons = [innermost(error), ...(last === undefined ? [] : [innermost(last)])];
  for (const reason of reasons) {
    const found = CASES.find(({ says }) => says.test(reason));
    if (found !== undefined)
      return found.problem(`The cache at ${address} says: ${reason}. ${found.advice}`, { cause: error });
  }
  const reason = reasons.at(-1) ?? '';
  return problems.unavailable(`The cache at ${address} does not answer (${reason}). Start it, or check cache.url.`, {
    cause: error,
  });
}
