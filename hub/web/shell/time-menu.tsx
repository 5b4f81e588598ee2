import { useState, type FormEvent, type ReactNode } from 'react';
import { liveStream } from '../live/stream.ts';
import { useNow } from '../live/use-live.ts';
import { PRESETS, readTyped } from '../time/range.ts';
import { useRange } from '../time/use-range.ts';
import { rangeLabel, rangeWords } from '../time/wording.ts';
import { Menu } from './menu.tsx';
import { prefer, usePreferences } from './preferences.ts';

const EXAMPLES = '-2h, yesterday, 03:15, 09:00-10:30 or 2026-01-31 12:00 to 13:00';

function Typed({ done }: { done(): void }): ReactNode {
  const { show } = useRange();
  const { zone } = usePreferences();
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const now = useNow();
  const understood = readTyped(text, now, zone);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const read = readTyped(text, liveStream.now(), zone);
    setWrong(read === undefined);
    if (read === undefined) return;
    show(read);
    done();
  };
  return (
    <form onSubmit={submit} className="field">
      <input
        autoFocus
        aria-label="Time range"
        placeholder="2 hours, 09:00-10:30"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setWrong(false);
        }}
      />
      {wrong ? (
        <span className="fault" role="alert">
          That is no time range. Try {EXAMPLES}.
        </span>
      ) : (
        <span className="hint" role="status">
          {understood === undefined ? `Such as ${EXAMPLES}` : rangeWords(understood, now, zone)}
        </span>
      )}
    </form>
  );
}

/** The button that says which time is shown, and the ways to change it. */
export function TimeMenu(): ReactNode {
  const { text, show } = useRange();
  const { zone } = usePreferences();
  return (
    <Menu label={<>{rangeLabel(text, liveStream.now(), zone)} ▾</>}>
      {(close) => (
        <>
          <Typed done={close} />
          <hr />
          <ul>
            {PRESETS.map(({ from, label }) => (
              <li key={from}>
                <button
                  type="button"
                  aria-pressed={text.from === from && text.to === undefined}
                  onClick={() => {
                    show({ from });
                    close();
                  }}
                >
                  {label}
                </button>
              </li>
            ))}
          </ul>
          <hr />
          <label className="check">
            <input
              type="checkbox"
              checked={zone === 'utc'}
              onChange={(event) => prefer({ zone: event.target.checked ? 'utc' : 'local' })}
            />
            Times in UTC
          </label>
        </>
      )}
    </Menu>
  );
}
