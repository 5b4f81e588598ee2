import type { SpoolLoss } from '../spool/index.ts';

/** Why lines were lost: before anyone read them, or in the spool. */
export type LossCause = 'truncated' | 'removed' | 'unreadable' | SpoolLoss['cause'];

/** Lines of one source that nobody will ever read. */
export interface Loss {
  /** The name under which the source's lines are known. */
  path: string;
  /** At least so many: what was written and removed between two looks, nobody knows. */
  bytes: number;
  /** Undefined when nobody could count them. */
  lines: number | undefined;
  /** They were written between these times, milliseconds since 1970. */
  fromMs: number;
  toMs: number;
  cause: LossCause;
}
