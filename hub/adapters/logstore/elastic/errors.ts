import { defineProblems, Problem, reasonOf, type ProblemMaker } from '#sdk';

/** What a log store on a server may answer with. What the server or its operator is to blame for is retryable: the lines are good. */
export const problems = defineProblems('logstore', {
  unavailable: { status: 503, title: 'The log store does not answer.', retryable: true },
  overloaded: { status: 503, title: 'The log store has more to do than it can.', retryable: true },
  refused: { status: 503, title: 'The log store refuses the hub.', retryable: true },
  full: { status: 503, title: 'The log store is full.', retryable: true },
  readOnly: { status: 503, title: 'The log store cannot be written to.', retryable: true },
  red: { status: 503, title: 'A part of the log store is missing.', retryable: true },
  unsafe: { status: 503, title: 'The log store answers before lines are on its disk.', retryable: true },
  otherVersion: { status: 503, title: 'The log store is of a version that cannot be used.', retryable: true },
  otherSchema: { status: 503, title: 'The log store was laid out by something else.', retryable: true },
  unfit: { status: 422, title: 'The log store cannot take a line.' },
});

/** What Elasticsearch says of a call or of one document of a bulk. */
export interface Refusal {
  status: number;
  type: string;
  reason: string;
}

const PRIVILEGES =
  'It needs the cluster privileges monitor and manage_index_templates, and all on the indices that logstore.prefix names.';

/** Looked through in this order. `says` is held against `status type: reason`. */
const CASES: readonly { says: RegExp; problem: ProblemMaker; advice: string }[] = [
  {
    says: /^401/,
    problem: problems.refused,
    advice: 'Check logstore.apiKey, or logstore.username and logstore.password.',
  },
  { says: /^403 security_exception/, problem: problems.refused, advice: PRIVILEGES },
  {
    says: /cluster_block_exception.*(flood-stage|read-only-allow-delete)/,
    problem: problems.full,
    advice:
      'Its disk is over the flood-stage watermark. Give it space or lower logs.diskGb; it lifts the block by itself, or PUT index.blocks.read_only_allow_delete null.',
  },
  {
    says: /^403 cluster_block_exception/,
    problem: problems.readOnly,
    advice: 'Lift the block: PUT index.blocks.read_only and index.blocks.write null to that index.',
  },
  {
    says: /maximum (normal )?shards open/,
    problem: problems.full,
    advice: 'Raise cluster.max_shards_per_node, add a node, or lower logs.days.',
  },
  {
    says: /unavailable_shards_exception|no_shard_available|all shards failed|primary shard is not active/,
    problem: problems.red,
    advice: 'An index is red: GET /_cluster/allocation/explain says why.',
  },
  { says: /^429/, problem: problems.overloaded, advice: 'It goes on by itself; add nodes if this stays.' },
  {
    says: /media_type_header_exception|^40[56]/,
    problem: problems.otherVersion,
    advice: 'logstore.urls must name an Elasticsearch 8 or 9.',
  },
  {
    says: /^413/,
    problem: problems.refused,
    advice: 'Raise http.max_content_length of the server, or of what stands before it, to 16 MB or more.',
  },
  {
    says: /^404 index_not_found/,
    problem: problems.unavailable,
    advice: 'Somebody deleted that index; it is made again.',
  },
  { says: /^5\d\d/, problem: problems.unavailable, advice: 'See its log.' },
];

/** What a refusal means: what a person or time can cure is retryable, else the document is at fault. */
export function problemFor({ status, type, reason }: Refusal, address: string, cause?: unknown): Problem {
  const says = `${status} ${type}: ${reason}`.slice(0, 500);
  const found = CASES.find((one) => one.says.test(says));
  if (found === undefined) return problems.unfit(`${address} answers ${says}.`, { cause });
  return found.problem(`${address} answers ${says}. ${found.advice}`, { cause });
}

interface Answered {
  statusCode?: number;
  body?: { error?: { type?: string; reason?: string; caused_by?: { type?: string; reason?: string } } | string };
}

/** What went wrong with a call, as a Problem that names the server and what to do. */
export function problemOf(error: unknown, address: string): Problem {
  if (error instanceof Problem) return error;
  const { statusCode, body } = error as Answered;
  const reason = reasonOf(error).slice(0, 500);
  const { name } = error as Error;
  if (name === 'ProductNotSupportedError')
    return problems.otherVersion(`${address} is no Elasticsearch 8 or 9: logstore.urls must name one.`, {
      cause: error,
    });
  if (name === 'ResponseError' && statusCode !== undefined) {
    const told = typeof body?.error === 'object' ? body.error : {};
    // What failed on the shards of a search stands one level deeper.
    const deeper = told.caused_by === undefined ? '' : `${told.caused_by.type ?? ''} ${told.caused_by.reason ?? ''}`;
    const said = [told.reason ?? reason, deeper].filter((part) => part !== '').join(': ');
    return problemFor({ status: statusCode, type: told.type ?? '', reason: said }, address, error);
  }
  const advice = /certificate|altname|self.signed|issuer/i.test(reason)
    ? 'Renew that certificate, or set logstore.ca to the authority that made it.'
    : 'Start it, or check logstore.urls.';
  return problems.unavailable(`${address} does not answer (${reason}). ${advice}`, { cause: error });
}
