import { defineProblems } from '#sdk';

/** Why a target said nothing that can be used. */
export const problems = defineProblems('targets', {
  refused: { status: 502, title: 'The target refused.', retryable: true },
  tooLarge: { status: 502, title: 'The answer of the target is too large.' },
  late: { status: 504, title: 'The target did not answer in time.', retryable: true },
  notUnderstood: { status: 502, title: 'The answer of the target is not what was asked for.' },
  sameName: { status: 400, title: 'Two targets have the same name.' },
});

/** The readable reason of a failed call; what Node gathers from several addresses has no words of its own. */
export function failureOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const told = first ?? error;
  return told instanceof Error ? told.message || ((told as NodeJS.ErrnoException).code ?? told.name) : String(told);
}
