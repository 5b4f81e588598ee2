import { HAS_ZSTD } from '../../agent/packing.ts';
import type { Packing } from '../../agent/spool/index.ts';

/** What this Node packs. */
export const PACKINGS: readonly Packing[] = HAS_ZSTD ? ['gzip', 'zstd'] : ['gzip'];

const LEVELS = ['INFO', 'INFO', 'INFO', 'WARN', 'ERROR'];

/** Lines of the kinds that servers write, about 120 bytes each, numbered from `from` on. */
export function serverLines(from: number, count: number): string {
  let text = '';
  for (let n = from; n < from + count; n++) {
    const time = new Date(Date.now() + n).toISOString();
    text +=
      n % 3 === 0
        ? `{"time":"${time}","level":"${LEVELS[n % 5]?.toLowerCase()}","msg":"request served","path":"/api/v1/items/${n}","ms":${n % 97}}\n`
        : `${time} ${LEVELS[n % 5]} [worker-${n % 8}] request ${n} of customer ${n % 977} took ${n % 97} ms, status 200\n`;
  }
  return text;
}
