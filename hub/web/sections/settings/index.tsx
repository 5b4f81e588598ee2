import type { ReactNode } from 'react';

/** TODO */
export function Settings(): ReactNode {
  return <h1>Settings</h1>;
}
