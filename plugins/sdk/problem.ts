/** What a catalogue says of one kind of problem. */
export interface ProblemKind {
  /** HTTP status that an edge answers with. */
  status: number;
  /** One sentence that is the same each time. */
  title: string;
  /** True when the same call may succeed later, unchanged. */
  retryable?: boolean;
}

/** Facts beside the sentence. `cause` is for the log only and never leaves the process. */
export interface ProblemOptions {
  cause?: unknown;
  /** Extension members of the RFC 9457 document. */
  facts?: Readonly<Record<string, unknown>>;
}

/** An error with a meaning for its user. Anything else that is thrown is a bug. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: string, kind: ProblemKind, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = kind.status;
    this.title = kind.title;
    this.retryable = kind.retryable ?? false;
    this.facts = options.facts ?? {};
  }
}

/** Makes one Problem of a catalogued kind; `detail` says what happened this time and what to do. */
export type ProblemMaker = (detail?: string, options?: ProblemOptions) => Problem;

const catalogue = new Map<string, ProblemKind>();

/** Declares a room's problems. Codes are `room.kebab-key`; declaring one twice is a bug. */
export function defineProblems<const T extends Record<string, ProblemKind>>(
  room: string,
  kinds: T,
): { [K in keyof T]: ProblemMaker } {
  const makers: Record<string, ProblemMaker> = {};
  for (const [key, kind] of Object.entries(kinds)) {
    const code = `${room}.${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    if (catalogue.has(code)) throw new Error(`problem ${code} is declared twice`);
    catalogue.set(code, kind);
    makers[key] = (detail, options) => new Problem(code, kind, detail ?? kind.title, options);
  }
  return makers as { [K in keyof T]: ProblemMaker };
}

/** Every problem declared by the modules loaded so far, for the documentation. */
export function declaredProblems(): ReadonlyMap<string, ProblemKind> {
  return catalogue;
}

/** The RFC 9457 document of a Problem. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  [fact: string]: unknown;
}

/** Turns a Problem into the document that travels. `instance` names the request. */
export function problemDocument(problem: Problem, instance?: string): ProblemDocument {
  return {
    ...problem.facts,
    type: `urn:outrider:problem:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(instance === undefined ? {} : { instance }),
  };
}

/** The readable reason of anything thrown, without a stack. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
