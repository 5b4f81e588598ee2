import { memo, type ReactNode } from 'react';
import type { Zone } from '../../time/range.ts';
import { exactTime, lineTime } from '../../time/wording.ts';
import { partsOf, plainText } from './plain-text.ts';
import type { Line } from './line-book.ts';
import type { Level } from './search.ts';

/** How lines are written. */
export interface LineLook {
  zone: Zone;
  wrap: boolean;
  /** The day stands before the time. */
  dated: boolean;
  /** Names of hosts by id. */
  hosts: ReadonlyMap<string, string>;
  /** All lines are of one host, which needs no column. */
  oneHost: boolean;
  /** Searched text, marked. */
  mark: string | undefined;
}

/** Longer lines are cut until they are opened. */
const SHOWN_WRAPPED = 2000;
const SHOWN_ON_ONE_LINE = 600;

/** Levels are known by letter too, since a colour alone says nothing to some. */
const LETTERS: Readonly<Record<Level, string>> = {
  fatal: 'F',
  error: 'E',
  warn: 'W',
  info: '',
  debug: '',
  unknown: '',
};

const fileName = (source: string): string => source.slice(source.lastIndexOf('/') + 1);

/** A text with what was searched for marked. */
export function Marked({ text, mark }: { text: string; mark: string | undefined }): ReactNode {
  return partsOf(text, mark).map((part, index) => (part.hit ? <mark key={index}>{part.text}</mark> : part.text));
}

/** Many programs write the time that stands beside it anyway. */
const OWN_TIME = /^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,:Z+-]*\]?\s/;

function LineText({ text, mark }: { text: string; mark: string | undefined }): ReactNode {
  const own = OWN_TIME.exec(text)?.[0] ?? '';
  if (own === '') return <Marked text={text} mark={mark} />;
  return (
    <>
      <span className="log-own-time quiet">
        <Marked text={own} mark={mark} />
      </span>
      <Marked text={text.slice(own.length)} mark={mark} />
    </>
  );
}

/** One line: its level in the margin, time, host, file and text. */
export const LineRow = memo(function LineRow({
  line,
  look,
  open,
  current,
  toggle,
}: {
  line: Line;
  look: LineLook;
  open: boolean;
  current: boolean;
  toggle(key: string): void;
}): ReactNode {
  const { zone, wrap, dated, hosts, oneHost, mark } = look;
  const most = open || wrap ? SHOWN_WRAPPED : SHOWN_ON_ONE_LINE;
  const rest = line.text.length - most;
  const day = dated ? `${exactTime(line.timeMs, zone).split(' ').slice(0, 2).join(' ')} ` : '';
  const click = (): void => {
    // Who selects text to copy it does not want to open the line.
    if (getSelection()?.isCollapsed !== false) toggle(line.key);
  };
  return (
    <div className={`log-line${open ? ' open' : ''}${current ? ' current' : ''}`} onClick={click}>
      <span className={`log-level level-${line.level}`} title={line.level}>
        {LETTERS[line.level]}
        <span className="unseen">{line.level}</span>
      </span>
      <button type="button" className="log-time" aria-expanded={open} title={exactTime(line.timeMs, zone)}>
        {day}
        {lineTime(line.timeMs, zone)}
      </button>
      {!oneHost && <span className="log-host cut">{hosts.get(line.host) ?? line.host.slice(0, 8)}</span>}
      <span className="log-file cut" title={line.source}>
        {fileName(line.source)}
      </span>
      <bdi className="log-text" dir="ltr">
        <LineText text={plainText(line.text.slice(0, most))} mark={mark} />
        {rest > 0 && <span className="quiet"> … {rest} more characters</span>}
      </bdi>
    </div>
  );
});
