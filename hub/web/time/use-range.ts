import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { liveStream } from '../live/stream.ts';
import { fixedRange, rangeOf, type Range, type RangeText } from './range.ts';

/** The time range of the address, and how it is changed. */
export interface RangeOfPage {
  text: RangeText;
  /** The range by the hub's clock now; a live one ends at this very call. */
  range(): Range;
  live: boolean;
  /** Shows another range; going back shows the one before. */
  show(text: RangeText): void;
  /** Shows a fixed range, milliseconds since 1970. */
  zoom(fromMs: number, toMs: number): void;
}

/** The time range that the whole page shows. */
export function useRange(): RangeOfPage {
  const { from, to } = useSearch({ strict: false });
  const navigate = useNavigate();
  const show = useCallback(
    (next: RangeText) => {
      const search = (old: Record<string, unknown>) => ({ ...old, from: next.from, to: next.to });
      void navigate({ to: '.', search: search as never });
    },
    [navigate],
  );
  return {
    text: { from, to },
    range: () => rangeOf({ from, to }, liveStream.now()),
    live: to === undefined,
    show,
    zoom: (fromMs, toMs) => show(fixedRange(fromMs, toMs)),
  };
}
