import type { ReactNode } from 'react';
import { usePreferences } from '../../shell/preferences.ts';
import { exactTime, length } from '../../time/wording.ts';
import { count } from '../../units/quantity.ts';
import type { Model } from './queries.ts';
import { ARCHITECTURES } from './words.ts';

/** What a model was trained on. */
export function Learnt({ model: { window, features } }: { model: Model }): ReactNode {
  const { zone } = usePreferences();
  const { fromMs, toMs, rows } = window;
  return (
    <span title={`${exactTime(fromMs, zone)} to ${exactTime(toMs, zone)}`}>
      {count(rows)} rows of {count(features)} metrics, over {length(toMs - fromMs)}
    </span>
  );
}

/** The kind of a model. */
export const kindOf = ({ architecture }: Model): string => ARCHITECTURES[architecture];
