import type { ReactNode } from 'react';

/** TODO */
export function Overview(): ReactNode {
  return <h1>Overview</h1>;
}
