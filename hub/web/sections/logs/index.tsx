import type { ReactNode } from 'react';

/** TODO */
export function Logs(): ReactNode {
  return <h1>Logs</h1>;
}
