import type { ReactNode } from 'react';
import type { Role } from './queries.ts';
import { missing } from './rights.ts';

/** Stands where somebody with a stronger role would find a form: `doing` it takes this role. */
export function Needs({
  title,
  doing,
  role,
  children,
}: {
  title: string;
  doing: string;
  role: Role;
  children?: ReactNode;
}): ReactNode {
  return (
    <section>
      <h2>{title}</h2>
      {children}
      <p className="quiet">{missing(role, doing)}</p>
    </section>
  );
}
