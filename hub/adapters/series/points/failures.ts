import { Problem, reasonOf } from '#sdk';
import { problems } from './errors.ts';

/** What an operator should look at when a server answers with a status: `401: 'set series.token …'`. */
export type StatusHelp = Readonly<Record<number, string>>;

/**
 * What a failed call to a server over HTTP means: not reached, refused (its status has help), busy or broken (429, 5xx). Other statuses say that the call itself was
 * wrong: the error stays as it is. `server` names it with its address, without a secret.
 */
export function failureOf(server: string, error: unknown, status: number | undefined, help: StatusHelp): unknown {
  if (error instanceof Problem) return error;
  const reason = reasonOf(error).slice(0, 500);
  if (status === undefined)
    return problems.unavailable(`${server} does not answer: ${reason}. Does it run, and is series.url right?`, {
      cause: error,
    });
  const advice = help[status];
  if (advice !== undefined)
    return problems.refused(`${server} answers ${status} (${reason}): ${advice}.`, { cause: error });
  if (status < 500 && status !== 429) return error;
  const full = `${server} answers ${status} (${reason}). Is its disk full or read-only, or is it overloaded?`;
  return problems.unavailable(full, { cause: error });
}
