import { useEffect, useMemo, useRef } from 'react';
import type { Span } from '../../chart/line.ts';
import type { ChartView } from '../../chart/view.ts';
import { useRange } from '../../time/use-range.ts';

/** Views of the charts: one for those that have data, one for those that wait. */
export function useViews(
  source: ChartView['source'],
  spans: readonly Span[],
): { ready: ChartView; waiting: ChartView } {
  const range = useRange();
  const newest = useRef(range);
  useEffect(() => {
    newest.current = range;
  });
  const { from, to } = range.text;
  return useMemo(() => {
    const shared = {
      spans,
      range: () => newest.current.range(),
      zoom: (fromMs: number, toMs: number) => newest.current.zoom(fromMs, toMs),
      // A zoom made the entry of the history that it goes back from; a pasted link has none, and shows the default time.
      back: () => {
        if (newest.current.live) return;
        if (history.length > 1) history.back();
        else newest.current.show({});
      },
    };
    return { ready: { ...shared, source }, waiting: { ...shared, source: undefined } };
  }, [source, spans, from, to]);
}
