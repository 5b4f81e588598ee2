import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { readOrder, writeOrder, type Order } from './order.ts';

/** How a table is ordered, and how that is changed. */
export interface OrderChoice {
  order: Order | undefined;
  choose(order: Order): void;
}

/** An order in the address, so that a link shows the same. */
export function useOrderInAddress(parameter = 'sort', first?: Order): OrderChoice {
  const raw: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const written = raw[parameter];
  return {
    order: readOrder(typeof written === 'string' ? written : undefined) ?? first,
    choose(order) {
      const search = (old: Record<string, unknown>) => ({ ...old, [parameter]: writeOrder(order) });
      void navigate({ to: '.', search: search as never, replace: true });
    },
  };
}

/** An order that lasts as long as the table is shown. */
export function useOrder(first?: Order): OrderChoice {
  const [order, choose] = useState(first);
  return { order, choose };
}
