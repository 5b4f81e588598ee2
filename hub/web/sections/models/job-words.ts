import { length } from '../../time/wording.ts';

/** What the page says of a training. */
export interface JobFacts {
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  progress: number;
  step: string;
  startedMs: number | null;
  endedMs: number | null;
  version: string | null;
  problem: { code: string; detail: string } | null;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  'predictions.too-little': 'There is too little to learn from',
  'predictions.no-training': 'This hub cannot train models',
  'predictions.no-samples': 'The samples of the host could not be read',
  'predictions.model-gone': 'The document of the champion cannot be read',
};

function sentence(text: string): string {
  const words = text.trim();
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}${words === '' || /[.!?]$/.test(words) ? '' : '.'}`;
}

/** Why a training failed, in words that say what can be done. */
export function problemWords(problem: JobFacts['problem']): string {
  if (problem === null) return 'It ended without a word; the hub’s log may say more.';
  const { code, detail } = problem;
  const known = PROBLEMS[code];
  // What the hub says may begin with the same words.
  const words = known === undefined || detail.startsWith(known) ? detail : `${known}: ${detail}`;
  const next =
    code === 'predictions.too-little' ? ' Try again when the host has been watched for longer, or with more days.' : '';
  return `${sentence(words === '' ? (known ?? `the hub says ${code}`) : words)}${next}`;
}

/** How far a training is: `35 %, learns from …`. */
export function progressWords({ state, progress, step }: Pick<JobFacts, 'state' | 'progress' | 'step'>): string {
  const words = step === '' ? (state === 'queued' ? 'waits for its turn' : 'runs') : step;
  return state === 'queued' ? words : `${Math.round(100 * progress)} %, ${words}`;
}

/** What became of a training. */
export function outcomeOf({ state, version, problem, startedMs, endedMs }: JobFacts): string {
  const took = startedMs === null || endedMs === null ? '' : ` It took ${length(Math.max(1000, endedMs - startedMs))}.`;
  if (state === 'done') return `${version ?? 'A model'} is trained.${took}`;
  if (state === 'cancelled') return 'The training was cancelled.';
  return `No model was made. ${problemWords(problem)}`;
}
