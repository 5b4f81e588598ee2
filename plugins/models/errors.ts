import { defineProblems } from '#sdk';

/** Why a model or its data cannot be used. */
export const problems = defineProblems('models', {
  refused: { status: 422, title: 'The model is not used.' },
  unsupported: { status: 422, title: 'The model has layers that cannot be run here.' },
  notEnoughData: { status: 422, title: 'There is not enough data to learn from.' },
  aborted: { status: 409, title: 'The training was ended before it was done.', retryable: true },
  failed: { status: 500, title: 'The training failed.', retryable: true },
});
