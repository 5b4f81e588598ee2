import { useEffect, useRef } from 'react';

/** One key or two in a row, such as `?` or `g l`, and what it does. */
export interface KeyBinding {
  keys: string;
  does: string;
  run(): void;
}

const bindings = new Set<KeyBinding>();
const SECOND_KEY_MS = 1000;
let first = '';
let firstAt = 0;

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
  if (document.querySelector('dialog[open]') !== null) return;
  const pair = event.timeStamp - firstAt < SECOND_KEY_MS ? `${first} ${event.key}` : '';
  // What was bound last is nearest to the person: a section wins over the shell.
  const found = [...bindings].reverse().find(({ keys }) => keys === pair || keys === event.key);
  [first, firstAt] = found === undefined ? [event.key, event.timeStamp] : ['', 0];
  if (found === undefined) return;
  event.preventDefault();
  found.run();
}

/** Listens for keys as long as the page lives. */
export function startKeys(): void {
  document.addEventListener('keydown', pressed);
}

/** Every key that does something now, for the list behind `?`. */
export const boundKeys = (): readonly KeyBinding[] => [...bindings];

/** Binds keys while the component is shown. The list must keep its order and length. */
export function useKeys(list: readonly KeyBinding[]): void {
  const newest = useRef(list);
  useEffect(() => {
    newest.current = list;
  });
  const names = list.map(({ keys }) => keys).join('|');
  useEffect(() => {
    const bound = newest.current.map(({ keys, does }, index) => ({
      keys,
      does,
      run: () => newest.current[index]?.run(),
    }));
    for (const one of bound) bindings.add(one);
    return () => bound.forEach((one) => bindings.delete(one));
  }, [names]);
}
