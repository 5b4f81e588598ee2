import { useLayoutEffect, useMemo, useState, type ReactNode, type RefObject } from 'react';
import { Menu } from '../shell/menu.tsx';
import type { Column } from './table.tsx';
import { useKept } from './use-kept.ts';

/** Below this width columns that are not needed are left out, pixels. */
const NARROW_PX = 720;

const names = (kept: unknown): string[] =>
  Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string') : [];

/** Columns that are shown: by choice, which the browser keeps, and by the room there is. */
export function useColumns<Row>(name: string, columns: readonly Column<Row>[], box: RefObject<HTMLElement | null>) {
  const [chosen, choose] = useKept(`table.${name}`, names);
  const [room, setRoom] = useState(innerWidth);
  useLayoutEffect(() => {
    const node = box.current;
    if (node === null) return;
    const look = (): void => setRoom(node.clientWidth || innerWidth);
    const observer = new ResizeObserver(look);
    look();
    observer.observe(node);
    return () => observer.disconnect();
  }, [box]);
  const shown = useMemo(
    () =>
      columns.filter(({ id, shown: when = 'always', least = NARROW_PX }) =>
        when === 'choice' ? chosen.includes(id) : when === 'always' || room >= least,
      ),
    [columns, chosen, room],
  );
  const toggle = (id: string): void =>
    choose(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  return { shown, chosen, toggle };
}

/** Chooses columns that are not shown by themselves. */
export function ColumnMenu<Row>({
  columns,
  chosen,
  toggle,
}: {
  columns: readonly Column<Row>[];
  chosen: readonly string[];
  toggle(id: string): void;
}): ReactNode {
  return (
    <Menu label="Columns ▾">
      {() => (
        <ul>
          {columns
            .filter(({ shown }) => shown === 'choice')
            .map(({ id, name }) => (
              <li key={id}>
                <label className="check">
                  <input type="checkbox" checked={chosen.includes(id)} onChange={() => toggle(id)} />
                  {name}
                </label>
              </li>
            ))}
        </ul>
      )}
    </Menu>
  );
}
