import { expect, test } from 'vitest';
import { outcomeOf, problemWords, progressWords, type JobFacts } from './job-words.ts';

const job = (of: Partial<JobFacts>): JobFacts => ({
  ...{ state: 'running', progress: 0.354, step: 'learns from 7 rows' },
  ...{ startedMs: 1000, endedMs: null, version: null, problem: null, ...of },
});

test('how far a training is stands before what it does; one that waits has no share', () => {
  expect(progressWords(job({}))).toBe('35 %, learns from 7 rows');
  expect(progressWords(job({ state: 'queued', progress: 0, step: '' }))).toBe('waits for its turn');
});

test('why a training failed is said once, with what can be done', () => {
  const tooLittle = { code: 'predictions.too-little', detail: '3 of its 9 series move; a model takes 4.' };
  expect(problemWords(tooLittle)).toBe('There is too little to learn from: 3 of its 9 series move; a model takes 4. Try again when the host has been watched for longer, or with more days.'); // prettier-ignore
  expect(problemWords({ code: 'predictions.no-training', detail: 'This hub cannot train models. It runs from source' })).toBe('This hub cannot train models. It runs from source.'); // prettier-ignore
  expect(problemWords({ code: 'predictions.failed', detail: 'the process ended with 137' })).toBe('The process ended with 137.'); // prettier-ignore
  expect(problemWords({ code: 'predictions.failed', detail: '' })).toBe('The hub says predictions.failed.');
  expect(problemWords(null)).toMatch(/the hub’s log/);
});

test('what became of a training is one sentence', () => {
  expect(outcomeOf(job({ state: 'done', version: 'v1', endedMs: 61_000 }))).toBe('v1 is trained. It took 60 s.');
  expect(outcomeOf(job({ state: 'cancelled' }))).toBe('The training was cancelled.');
  expect(outcomeOf(job({ state: 'failed', problem: { code: 'x', detail: 'it broke' } }))).toBe('No model was made. It broke.'); // prettier-ignore
});
