import { useVirtualizer } from '@tanstack/react-virtual';
import {
  memo,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
} from 'react';
import { useKeys } from '../shell/keys.ts';
import { count } from '../units/quantity.ts';
import { ColumnMenu, useColumns } from './columns.tsx';
import { holds, ordered, type Order, type Rank } from './order.ts';
import { useOrder, type OrderChoice } from './use-order.ts';
import './table.css';

/** A column: what it is called, what it shows, and what it is ordered by. */
export interface Column<Row> {
  id: string;
  name: string;
  cell(row: Row): ReactNode;
  /** Absent: the table cannot be ordered by it. */
  rank?: (row: Row) => Rank;
  /** Its name is only for those who cannot see what it holds, such as buttons. */
  unnamed?: boolean;
  /** Numbers and actions stand at the end. */
  end?: boolean;
  /** A track of a CSS grid. */
  width?: string;
  /** `wide`: left out where there is little room. `choice`: a person shows it when wanted. */
  shown?: 'always' | 'wide' | 'choice';
  /** Of what is left out where there is little room: how wide the table must be for it, pixels. */
  least?: number;
}

/** What a table shows and does. */
export interface TableGiven<Row> {
  /** Under this name the browser keeps which columns are shown. */
  name: string;
  /** What the rows are, for a screen reader. */
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  keyOf(row: Row): string;
  /** Stands in for the rows when there are none. */
  empty: ReactNode;
  order?: OrderChoice;
  /** What the filter box looks at; without it there is no filter box. */
  text?: (row: Row) => string;
  /** What a click or Enter does. */
  open?: (row: Row) => void;
  /** The row that is open. */
  opened?: string | undefined;
  /** What stands beside the filter box. */
  children?: ReactNode;
  rowHeight?: number;
}

const ROW_PX = 40;
const INTERACTIVE = 'a, button, input, select, label, textarea';

function Head<Row>({ columns, order, choose }: { columns: readonly Column<Row>[] } & OrderChoice): ReactNode {
  const sign = (id: string): string => (order?.column === id ? (order.down ? ' ↓' : ' ↑') : '');
  const next = (column: string): Order => ({ column, down: order?.column === column ? !order.down : false });
  return (
    <div role="row" aria-rowindex={1} className="table-row table-head">
      {columns.map(({ id, name, rank, end, unnamed }) => (
        <div
          key={id}
          role="columnheader"
          className={end === true ? 'table-end' : ''}
          aria-sort={order?.column !== id ? undefined : order.down ? 'descending' : 'ascending'}
        >
          {rank === undefined ? (
            <span className={unnamed === true ? 'unseen' : ''}>{name}</span>
          ) : (
            <button type="button" className="table-sort" onClick={() => choose(next(id))}>
              {name}
              <span aria-hidden="true">{sign(id)}</span>
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

function useShownRows<Row>({ rows, columns, text }: TableGiven<Row>, order: Order | undefined, wanted: string) {
  return useMemo(() => {
    const fitting = text === undefined || wanted === '' ? rows : rows.filter((row) => holds(text(row), wanted));
    const rank = columns.find(({ id }) => id === order?.column)?.rank;
    return rank === undefined ? fitting : ordered(fitting, rank, order?.down ?? false);
  }, [rows, columns, text, order?.column, order?.down, wanted]);
}

function Tools<Row>({
  given,
  wanted,
  want,
  left,
  menu,
}: {
  given: TableGiven<Row>;
  wanted: string;
  want(text: string): void;
  left: number;
  menu: ReactNode;
}): ReactNode {
  const { label, text, children, rows } = given;
  if (text === undefined && children === undefined && menu === undefined) return null;
  return (
    <div className="row table-tools">
      {text !== undefined && (
        <input
          type="search"
          aria-label={`Part of ${label}`}
          placeholder="Filter"
          value={wanted}
          onChange={(event) => want(event.target.value)}
        />
      )}
      {children}
      {menu}
      {wanted !== '' && (
        <span className="small quiet" role="status">
          {count(left)} of {count(rows.length)}
        </span>
      )}
    </div>
  );
}

interface CellsGiven<Row> {
  row: Row;
  columns: readonly Column<Row>[];
}

/** Drawn anew only when the row changes: scrolling moves rows and leaves them as they are. */
const Cells = memo(function Cells<Row>({ row, columns }: CellsGiven<Row>): ReactNode {
  return columns.map(({ id, cell, end }) => (
    <div key={id} role="cell" className={end === true ? 'table-end' : ''}>
      {cell(row)}
    </div>
  ));
}) as <Row>(given: CellsGiven<Row>) => ReactNode;

/** Rows by keys: j and k move, Enter opens, Escape leaves. */
function useCursor<Row>(rows: readonly Row[], open: ((row: Row) => void) | undefined, reach: (index: number) => void) {
  const [cursor, setCursor] = useState(-1);
  const move = (by: number): void => {
    if (rows.length === 0) return;
    const next = Math.min(rows.length - 1, Math.max(0, cursor + by));
    setCursor(next);
    reach(next);
  };
  useKeys([
    { keys: 'j', does: 'Next row', run: () => move(1) },
    { keys: 'k', does: 'Row before', run: () => move(-1) },
  ]);
  const key = (event: KeyboardEvent): void => {
    const row = rows[cursor];
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter' && row !== undefined) {
      // Else the same key would press the first button of what opens.
      event.preventDefault();
      open?.(row);
    }
    if (event.key === 'Escape') setCursor(-1);
  };
  return { cursor, key };
}

/** Rows and columns: ordered, filtered, moved through by keys, and only those in sight are drawn. */
export function Table<Row>(given: TableGiven<Row>): ReactNode {
  const { name, label, columns, keyOf, empty, open, opened, rowHeight = ROW_PX } = given;
  const own = useOrder();
  const { order, choose } = given.order ?? own;
  const [wanted, want] = useState('');
  const rows = useShownRows(given, order, wanted);
  const box = useRef<HTMLDivElement>(null);
  const { shown, chosen, toggle } = useColumns(name, columns, box);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => (rows[index] === undefined ? index : keyOf(rows[index])),
    overscan: 8,
  });
  const { cursor, key } = useCursor(rows, open, (index) => {
    virtual.scrollToIndex(index, { align: 'auto' });
    box.current?.focus({ preventScroll: true });
  });
  const click = (event: MouseEvent, row: Row): void => {
    if ((event.target as Element).closest(INTERACTIVE) === null && getSelection()?.isCollapsed !== false) open?.(row);
  };
  const tracks = { '--tracks': shown.map(({ width }) => width ?? 'minmax(80px, 1fr)').join(' ') } as CSSProperties;
  const choosable = columns.some((column) => column.shown === 'choice');
  const menu = choosable ? <ColumnMenu columns={columns} chosen={chosen} toggle={toggle} /> : undefined;
  return (
    <div className="table" style={tracks}>
      <Tools given={given} wanted={wanted} want={want} left={rows.length} menu={menu} />
      <div
        ref={box}
        className="table-box"
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={shown.length}
        tabIndex={0}
        hidden={given.rows.length === 0}
        onKeyDown={key}
      >
        <div role="rowgroup" className="table-head-group">
          <Head columns={shown} order={order} choose={choose} />
        </div>
        <div role="rowgroup" className="table-space" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, key: rowKey, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const marks = [
              opened === keyOf(row) && 'opened', index === cursor && 'current', open !== undefined && 'clickable',
            ]; // prettier-ignore
            return (
              <div
                key={rowKey}
                ref={virtual.measureElement}
                data-index={index}
                role="row"
                aria-rowindex={index + 2}
                className={['table-row', ...marks].filter(Boolean).join(' ')}
                style={{ transform: `translateY(${start}px)` }}
                onClick={(event) => click(event, row)}
              >
                <Cells row={row} columns={shown} />
              </div>
            );
          })}
        </div>
      </div>
      {given.rows.length === 0 && empty}
      {given.rows.length > 0 && rows.length === 0 && <p className="table-none quiet">Nothing matches “{wanted}”.</p>}
    </div>
  );
}
