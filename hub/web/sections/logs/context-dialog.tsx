import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { Dialog } from '../../shell/dialog.tsx';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { LineDetail, type LineActions } from './line-detail.tsx';
import type { Line } from './line-book.ts';
import { LineRow, type LineLook } from './line-row.tsx';
import { useContextOf } from './queries.ts';

/** A line and fifty lines before and after it in its file. */
export function ContextDialog({
  id,
  look,
  actions,
  close,
}: {
  id: string;
  look: LineLook;
  actions: LineActions;
  close(): void;
}): ReactNode {
  const { data, error, refetch } = useContextOf(id);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const place = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => data?.items.map((line): Line => ({ ...line, key: line.id })), [data]);
  useEffect(() => {
    place.current?.scrollIntoView({ block: 'center' });
  }, [lines]);
  const toggle = (key: string): void => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  const file = lines?.[0]?.source;
  return (
    <Dialog title={file === undefined ? 'Lines around it' : `Lines around it in ${file}`} close={close}>
      <div
        className={`log-lines log-context${look.wrap ? ' wrap' : ''}`}
        tabIndex={0}
        role="region"
        aria-label="Lines around it"
      >
        {error !== null && <Fault error={error} what="the lines around it" again={() => void refetch()} />}
        {error === null && lines === undefined && <Skeleton height={400} />}
        {lines?.map((line) => (
          <div key={line.key} ref={line.id === id ? place : undefined}>
            <LineRow line={line} look={look} open={open.has(line.key)} current={line.id === id} toggle={toggle} />
            {open.has(line.key) && <LineDetail line={line} look={look} actions={actions} />}
          </div>
        ))}
      </div>
    </Dialog>
  );
}
