import type { ReactNode } from 'react';

/** TODO */
export function Host(): ReactNode {
  return <h1>Host</h1>;
}
