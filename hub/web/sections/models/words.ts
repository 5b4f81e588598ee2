import type { Aliases, AliasName, Model, Move, Step } from './queries.ts';

/** What a model is to its host, in a word. */
export const ALIAS_WORDS: Readonly<Record<AliasName, string>> = { champion: 'champion', shadow: 'shadow' };

/** How a model is made, in words. */
export const ARCHITECTURES: Readonly<Record<Model['architecture'], string>> = {
  autoencoder: 'autoencoder',
  linear: 'principal components',
};

const METRICS: Readonly<Record<string, string>> = {
  components: 'Components',
  epochs: 'Passes over the data',
  validation: 'Error on rows left aside',
  linear_validation: 'The same by components alone',
};

/** What a model measured of itself, by its name for people. */
export const metricName = (name: string): string => {
  const plain = name.replaceAll('_', ' ');
  return METRICS[name] ?? `${plain.slice(0, 1).toUpperCase()}${plain.slice(1)}`;
};

/** A gate in a few words. */
export function gateWords({ passed, checks }: Model['gate']): string {
  if (passed) return 'passed';
  const failed = checks.filter((check) => !check.passed).length;
  return failed === 0 ? 'not passed' : `${failed} of ${checks.length} checks failed`;
}

/** Whether an agent judges by a model, in words, and how bad that is. */
export interface Use {
  tone: 'good' | 'quiet' | 'critical';
  words: string;
}

/** What the agent says of the model that an alias names. */
export function useOf(told: Aliases['told'], alias: AliasName, version: string, isConnected: boolean): Use {
  const said = told.find((one) => one.alias === alias && one.version === version);
  if (said?.problem !== undefined && said.problem !== '')
    return { tone: 'critical', words: `the agent does not use it: ${said.problem}` };
  if (!isConnected)
    return {
      tone: 'quiet',
      words: said?.inUse === true ? 'was in use when the agent was last connected' : 'the agent gets it when it is connected again', // prettier-ignore
    };
  if (said?.inUse === true)
    return { tone: 'good', words: alias === 'champion' ? 'in use by the agent' : 'scored by the agent' };
  return {
    tone: 'quiet',
    words: said === undefined ? 'on its way to the agent' : 'the agent has it, and not yet in use',
  };
}

/** A model that an agent made itself while the hub gave it none. */
export const ownOf = (told: Aliases['told']) => told.find(({ alias }) => alias === 'own');

/** What an alias was moved to, in words. */
export function moveWords({ alias, version, before }: Move): string {
  if (version === null) return `${before ?? 'a model'} is ${ALIAS_WORDS[alias]} no more`;
  return `${version} became ${ALIAS_WORDS[alias]}${before === null ? '' : `, before it ${before}`}`;
}

/** What a person is asked before a step, and told after it. */
export interface Question {
  title: string;
  /** What will happen. */
  text: string;
  verb: string;
  said: string;
}

const naming = (
  { alias, version }: Extract<Step, { does: 'name' }>,
  { champion, shadow }: Pick<Aliases, 'champion' | 'shadow'>,
): Question => {
  if (version === null)
    return alias === 'champion'
      ? {
          title: 'Let no model judge?',
          text: `Within a minute the agent no longer judges by ${champion?.version ?? 'it'}, but as it did before there was a model. The version is kept.`,
          verb: 'Take the champion away',
          said: 'No model judges',
        }
      : {
          title: 'Take the shadow away?',
          text: `${shadow?.version ?? 'It'} is no longer tried beside the champion. The version is kept.`,
          verb: 'Take the shadow away',
          said: 'There is no shadow',
        };
  if (alias === 'shadow')
    return {
      title: `Try ${version} beside the champion?`,
      text: `The agent scores with both. Nothing is told and no event comes of the shadow; after a day beside the champion it takes its place if it alerts hardly more often.${shadow === null ? '' : ` ${shadow.version} is shadow no more.`}`,
      verb: 'Put beside as shadow',
      said: `${version} is the shadow`,
    };
  return {
    title: `Let ${version} judge?`,
    text: `Within a minute the agent judges by it.${champion === null ? '' : ` ${champion.version} no longer judges; rolling back brings it back.`}${shadow?.version === version ? ' There is no shadow then.' : ''}`,
    verb: 'Promote to champion',
    said: `${version} is the champion`,
  };
};

/** What is asked before a step. */
export function questionOf(step: Step, now: Pick<Aliases, 'champion' | 'shadow' | 'before'>): Question {
  if (step.does === 'name') return naming(step, now);
  if (step.does === 'remove')
    return {
      title: `Remove ${step.version}?`,
      text: 'Its document and what its gate found are deleted. This cannot be undone; the history keeps its name.',
      verb: 'Remove it',
      said: `${step.version} is removed`,
    };
  const before = now.before ?? 'the version before';
  return {
    title: `Roll back to ${before}?`,
    text: `Within a minute the agent judges by ${before} again, and no longer by ${now.champion?.version ?? 'the champion'}. Done twice, it is as it was.`,
    verb: 'Roll back',
    said: `${before} is the champion again`,
  };
}
