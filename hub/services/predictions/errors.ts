import { defineProblems } from '#sdk';

/** What the predictions service refuses. */
export const problems = defineProblems('predictions', {
  badRange: { status: 400, title: 'The time range is empty.' },
  notFound: { status: 404, title: 'There is no such anomaly event.' },
  noModel: { status: 404, title: 'There is no such model.' },
  modelInUse: { status: 409, title: 'The model is in use.' },
  modelGone: { status: 503, title: 'The document of a model cannot be read.', retryable: true },
  gateClosed: { status: 409, title: 'The model did not pass its gate.' },
  isChampion: { status: 409, title: 'The model judges already.' },
  nothingBefore: { status: 409, title: 'There was no model before this one.' },
  noJob: { status: 404, title: 'There is no such job.' },
  jobOver: { status: 409, title: 'The job is over.' },
  alreadyTraining: { status: 409, title: 'A model of this host is being trained.' },
  noTraining: { status: 503, title: 'This hub cannot train models.' },
  noSamples: { status: 503, title: 'Monitoring did not give the samples.', retryable: true },
  tooLittle: { status: 422, title: 'There is too little to learn from.' },
});
