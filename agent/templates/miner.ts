import { FIRST_MASK } from './kinds.ts';
import { keyOf, mergeTemplates } from './merge.ts';
import { createScanner } from './scan.ts';
import { isValue, rootOf, templateOf, type Template } from './template.ts';

export interface Miner {
  /** The template of a line: bytes from `from` to `to`, without its end. */
  take(bytes: Uint8Array, from: number, to: number): Template;
  /** Merges what can be merged by now. */
  settle(): void;
  readonly live: readonly Template[];
}

export function createMiner(): Miner {
  const scanner = createScanner();
  const { tokens } = scanner;
  const forms = new Map<number, Template>();
  let live: Template[] = [];
  let lines = 0;
  let made = 0;
  let fresh = 0;
  /** By number of tokens: which positions the templates that were united leave open beside masks. */
  let open = new Map<number, number[][]>();

  function settle(): void {
    live = mergeTemplates(live);
    fresh = 0;
    open = new Map();
    const known = new Set<string>();
    for (const one of live) {
      forms.set(keyOf(one), one);
      const positions: number[] = [];
      for (let at = 0; at < one.count; at++) if ((one.kind[at] ?? 0) >= FIRST_MASK) positions.push(at);
      const name = `${one.count}:${positions.join()}`;
      if (known.has(name)) continue;
      known.add(name);
      const list = open.get(one.count);
      if (list === undefined) open.set(one.count, [positions]);
      else list.push(positions);
    }
  }
  const trial = { count: 0, hash: new Int32Array(256), gap: tokens.gap };
  function byPattern(): Template | undefined {
    const patterns = open.get(tokens.count);
    if (patterns === undefined) return undefined;
    trial.count = tokens.count;
    for (const positions of patterns) {
      trial.hash.set(tokens.hash.subarray(0, tokens.count));
      for (const at of positions) trial.hash[at] = 0x5bd1e995 | 0;
      const found = forms.get(keyOf(trial));
      if (found !== undefined) return rootOf(found);
    }
    return undefined;
  }

  function take(bytes: Uint8Array, from: number, to: number): Template {
    scanner.scan(bytes, from, to);
    lines++;
    const key = keyOf(tokens);
    let found = forms.get(key);
    if (found !== undefined) found = rootOf(found);
    else {
      found = byPattern();
      if (found === undefined) {
        found = templateOf(tokens, Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).latin1Slice(), ++made);
        live.push(found);
        fresh++;
      }
      forms.set(key, found);
    }
    for (let at = 0; at < tokens.count; at++) if (found.detail[at] !== tokens.detail[at]) found.loose[at] = 1;
    found.lines++;
    found.seen = lines;
    if (fresh > Math.max(256, live.length / 2)) settle();
    return found;
  }

  return {
    take,
    settle,
    get live() {
      return live;
    },
  };
}
void isValue;
