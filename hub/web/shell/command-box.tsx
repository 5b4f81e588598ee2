import { useNavigate } from '@tanstack/react-router';
import { useId, useState, type KeyboardEvent, type ReactNode } from 'react';
import { SETTINGS_TABS } from '../sections/settings/tabs.ts';
import { Dialog } from './dialog.tsx';
import { PLACES } from './places.ts';
import { useFiring, useHostsNamed } from './queries.ts';
import './command-box.css';

interface Entry {
  key: string;
  kind: string;
  name: string;
  go(): void;
}

/** Everything that can be reached with these words. */
function useEntries(text: string): readonly Entry[] {
  const navigate = useNavigate();
  const hosts = useHostsNamed(text, true).data?.items ?? [];
  const firing = useFiring(true).data?.items ?? [];
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const fits = (name: string): boolean => words.every((word) => name.toLowerCase().includes(word));
  const keep = (old: Record<string, unknown>) => ({ from: old['from'], to: old['to'] });
  const entries: Entry[] = [
    ...PLACES.map(({ name, to, question }) => ({
      key: to,
      kind: 'Section',
      name: `${name}: ${question}`,
      go: () => void navigate({ to, search: keep as never }),
    })),
    ...hosts.map(({ id, name }) => ({
      key: id,
      kind: 'Host',
      name,
      go: () => void navigate({ to: '/hosts/$id', params: { id }, search: keep as never }),
    })),
    ...firing.map(({ id, title }) => ({
      key: id,
      kind: 'Alert',
      name: title,
      go: () => void navigate({ to: '/alerts', search: { open: id } as never }),
    })),
    ...SETTINGS_TABS.map(({ tab, name }) => ({
      key: tab,
      kind: 'Setting',
      name,
      go: () => void navigate({ to: '/settings/$tab', params: { tab } }),
    })),
  ].filter(({ name }) => fits(name));
  if (text.trim() === '') return entries;
  const search: Entry = {
    key: 'search',
    kind: 'Logs',
    name: `Lines that contain “${text.trim()}”`,
    go: () =>
      void navigate({
        to: '/logs',
        search: ((old: Record<string, unknown>) => ({ ...keep(old), q: text.trim() })) as never,
      }),
  };
  return [...entries, search];
}

/** Jumps to any host, alert, section or setting, or searches the logs. */
export function CommandBox({ close }: { close(): void }): ReactNode {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const list = useId();
  const entries = useEntries(text);
  const chosen = Math.min(at, entries.length - 1);
  const go = (entry: Entry | undefined): void => {
    close();
    entry?.go();
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt((chosen + step + entries.length) % Math.max(1, entries.length));
    else if (event.key === 'Enter') go(entries[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" close={close}>
      <input
        autoFocus
        className="command-text"
        role="combobox"
        aria-label="A host, an alert, a section, a setting, or words to search the logs for"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={entries[chosen] && `${list}-${chosen}`}
        placeholder="A host, an alert, a setting, or words to search the logs for"
        value={text}
        onKeyDown={key}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
      />
      <ul className="command-list" role="listbox" id={list} aria-label="Where to go">
        {entries.map((entry, index) => (
          <li
            key={`${entry.kind} ${entry.key}`}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === chosen}
            onPointerMove={() => setAt(index)}
            onClick={() => go(entry)}
          >
            <span className="grow cut">{entry.name}</span>
            <span className="quiet small">{entry.kind}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
