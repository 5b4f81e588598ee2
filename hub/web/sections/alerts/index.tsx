import type { ReactNode } from 'react';

/** TODO */
export function Alerts(): ReactNode {
  return <h1>Alerts</h1>;
}
