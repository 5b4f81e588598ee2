import { useEffect, useState, type RefObject } from 'react';
import { AXIS_WIDTH } from '../../chart/plot.ts';
import { stepFor } from '../../time/range.ts';

const GAP = 24;

/** How many charts stand side by side; the same as host.css says. */
const columnsFor = (width: number): number => (width >= 1640 ? 4 : width >= 1120 ? 3 : width >= 680 ? 2 : 1);

/** The step that suits the width of the charts. It changes only when a resize makes another one right. */
export function useStep(place: RefObject<HTMLElement | null>, lengthMs: number): number {
  const [width, setWidth] = useState(() => innerWidth - (innerWidth > 760 ? 224 : 24));
  useEffect(() => {
    if (place.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round((entry?.contentRect.width ?? 0) / 16) * 16));
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [place]);
  const columns = columnsFor(width);
  return stepFor(lengthMs, Math.max(60, (width - (columns - 1) * GAP) / columns - AXIS_WIDTH));
}
