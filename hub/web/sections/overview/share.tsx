import type { ReactNode } from 'react';
import { quantity } from '../../units/quantity.ts';

/** From here on a share is worth a second look; the hub calls a host strained at the same. */
const MUCH = 0.9;

/** A share as a number and a bar. */
export function Share({ value, of }: { value: number | undefined; of?: string | undefined }): ReactNode {
  if (value === undefined) return <span className="quiet">–</span>;
  const words = quantity(Math.round(value * 100) / 100, '1');
  return (
    <span className={value > MUCH ? 'share much' : 'share'} title={of === undefined ? undefined : `${of}: ${words}`}>
      <span className="share-words">{words}</span>
      <span className="share-bar" aria-hidden="true">
        <i style={{ transform: `scaleX(${Math.min(1, Math.max(0, value))})` }} />
      </span>
    </span>
  );
}
