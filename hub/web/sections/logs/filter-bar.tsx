import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useKeys } from '../../shell/keys.ts';
import { Menu } from '../../shell/menu.tsx';
import { count } from '../../units/quantity.ts';
import { narrows, toggled } from './filter.ts';
import { LEVELS, type Level, type LogsSearch } from './search.ts';
import type { ChangeSearch } from './use-logs-search.ts';

const TYPING_MS = 250;

/** What the filter bar shows and changes. */
export interface FilterGiven {
  search: LogsSearch;
  change: ChangeSearch;
  hosts: readonly { id: string; name: string }[];
  /** The files to choose from; undefined while several hosts are shown. */
  sources: readonly { source: string }[] | undefined;
  counts: Readonly<Record<Level, number>> | undefined;
  /** True where the host is given. */
  oneHost: boolean;
  /** What kinds of lines look like, by their ids. */
  texts: ReadonlyMap<string, string>;
}

function TextSearch({ search, change }: FilterGiven): ReactNode {
  const box = useRef<HTMLInputElement>(null);
  const sent = useRef(search.q ?? '');
  const [text, setText] = useState(search.q ?? '');
  useEffect(() => {
    if ((search.q ?? '') === sent.current) return;
    sent.current = search.q ?? '';
    setText(sent.current);
  }, [search.q]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      // The first letter is a step to go back over, the others belong to it.
      const typing = sent.current !== '';
      sent.current = text;
      change({ q: text === '' ? undefined : text }, typing);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, change]);
  useKeys([{ keys: 'f', does: 'Search the lines', run: () => box.current?.select() }]);
  return (
    <input
      ref={box}
      type="search"
      className="grow"
      aria-label="Text that lines contain"
      placeholder="Text that lines contain (f)"
      maxLength={1000}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        // A browser would empty the field.
        event.preventDefault();
        box.current?.blur();
      }}
    />
  );
}

function HostPicker({ search, change, hosts }: FilterGiven): ReactNode {
  const [part, setPart] = useState('');
  const chosen = search.host ?? [];
  const one = hosts.find(({ id }) => id === chosen[0]);
  const label =
    chosen.length === 0 ? 'All hosts' : chosen.length === 1 ? (one?.name ?? '1 host') : `${chosen.length} hosts`;
  const fitting = hosts.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase())).slice(0, 100);
  return (
    <Menu label={<>{label} ▾</>}>
      {() => (
        <div className="log-pick">
          {hosts.length > 8 && (
            <input
              autoFocus
              aria-label="Part of the name"
              placeholder="Part of the name"
              value={part}
              onChange={(event) => setPart(event.target.value)}
            />
          )}
          <ul>
            {fitting.map(({ id, name }) => (
              <li key={id}>
                <label className="check">
                  <input
                    type="checkbox"
                    checked={chosen.includes(id)}
                    onChange={() => change({ host: toggled(search.host, id), source: undefined })}
                  />
                  <span className="cut">{name}</span>
                </label>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Menu>
  );
}

function SourcePicker({ search, change, sources }: FilterGiven): ReactNode {
  const name = search.source?.slice(search.source.lastIndexOf('/') + 1);
  if (sources === undefined && name === undefined) {
    return (
      <Menu label="All files ▾">
        {() => <p className="quiet small">Choose one host first: the files of one host can be told apart.</p>}
      </Menu>
    );
  }
  return (
    <Menu label={<span className="cut log-picked">{name ?? 'All files'} ▾</span>}>
      {(close) => (
        <ul className="log-pick">
          {[undefined, ...(sources ?? []).map(({ source }) => source)].map((source) => (
            <li key={source ?? ''}>
              <button
                type="button"
                className="mono"
                aria-pressed={search.source === source}
                onClick={() => {
                  change({ source });
                  close();
                }}
              >
                <span className="cut">{source ?? 'All files'}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Menu>
  );
}

function LevelChips({ search, change, counts }: FilterGiven): ReactNode {
  return (
    <div className="log-chips" role="group" aria-label="Levels">
      {LEVELS.map((level) => (
        <button
          key={level}
          type="button"
          className="log-chip"
          aria-pressed={search.level?.includes(level) ?? false}
          onClick={() => change({ level: toggled(search.level, level) })}
        >
          <span className={`log-dot level-${level}`} />
          {level === 'unknown' ? 'no level' : level}
          <span className="quiet log-chip-count">{counts === undefined ? '' : count(counts[level])}</span>
        </button>
      ))}
    </div>
  );
}

function LeaveOut({ search, change }: FilterGiven): ReactNode {
  const [text, setText] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text === '') return;
    change({ not: [...new Set([...(search.not ?? []), text])].slice(-50) });
    setText('');
  };
  return (
    <form onSubmit={submit}>
      <input
        className="log-leave-out"
        aria-label="Text to leave out; Enter adds it"
        placeholder="Leave out …"
        maxLength={300}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </form>
  );
}

interface PickedGiven {
  word: string;
  picked: string;
  title: string;
  onTakeBack: () => void;
}

/** Something that was chosen; a click takes it back. */
function PickedChip({ word, picked, title, onTakeBack }: PickedGiven): ReactNode {
  return (
    <button type="button" className="log-chip" title={title} onClick={onTakeBack}>
      <span className="quiet">{word}</span>
      <span className="cut mono log-picked">{picked}</span> ✕
    </button>
  );
}

const NONE = {
  ...{ q: undefined, not: undefined, level: undefined, source: undefined },
  ...{ attribute: undefined, template: undefined, notTemplate: undefined },
};

/** Kinds of lines that were chosen or left out. */
function PickedPatterns({ search, change, texts }: FilterGiven): ReactNode {
  const chips = (['template', 'notTemplate'] as const).flatMap((key) => (search[key] ?? []).map((id) => ({ key, id })));
  return chips.map(({ key, id }) => (
    <PickedChip
      key={`${key} ${id}`}
      word={key === 'template' ? 'only' : 'without'}
      picked={texts.get(id) ?? `pattern ${id}`}
      title={key === 'template' ? 'Show lines of other patterns too' : 'Show lines of this pattern again'}
      onTakeBack={() => change({ [key]: toggled(search[key], id) })}
    />
  ));
}

/** Everything that chooses lines. */
export function FilterBar(given: FilterGiven & { children: ReactNode }): ReactNode {
  const { search, change, hosts, oneHost, children } = given;
  const { line: _line, view: _view, host, ...rest } = search;
  const narrowed = narrows(oneHost ? rest : { ...rest, host });
  return (
    <search className="log-filter" aria-label="Lines">
      <div className="row">
        <TextSearch {...given} />
        {!oneHost && (hosts.length > 1 || host !== undefined) && <HostPicker {...given} />}
        <SourcePicker {...given} />
        {children}
      </div>
      <div className="row">
        <LevelChips {...given} />
        <LeaveOut {...given} />
        {search.attribute?.map((asked) => (
          <PickedChip
            key={asked}
            word="only"
            picked={asked}
            title="Show the lines of others too"
            onTakeBack={() => change({ attribute: toggled(search.attribute, asked) })}
          />
        ))}
        <PickedPatterns {...given} />
        {search.not?.map((text) => (
          <PickedChip
            key={text}
            word="without"
            picked={text}
            title="Show these lines again"
            onTakeBack={() => change({ not: toggled(search.not, text) })}
          />
        ))}
        {narrowed && (
          <button type="button" className="link" onClick={() => change(oneHost ? NONE : { ...NONE, host: undefined })}>
            Show all lines
          </button>
        )}
      </div>
    </search>
  );
}
