import { reasonOf, type Cancel, type Logger } from '#sdk';
import type { Access } from './access.ts';
import { samplesOf, timeOf } from './access.ts';
import { encodeLabels } from './remote-write.ts';

const WATCH_MS = 5_000;
/** What was written so long before a server was last seen alive may not be on its disk. */
const UNSURE_MS = 60_000;
/** Clocks of hub and server may differ so much. */
const SKEW_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A process of the server, and when it was last seen. */
interface Seen {
  startedS: number;
  aliveMs: number;
}

/**
 * Watches whether the server's process is another one than before, and says since when what it took may be lost; `lost` is called again until it resolves. What was
 * seen is kept in the store itself (`<prefix>_beat`), so that a restart of both is noticed too.
 */
export function watchRestarts(
  access: Access,
  given: { prefix: string; log: Logger },
  lost: (sinceMs: number) => Promise<void>,
): Cancel {
  const { server, clock } = access;
  const metric = `${given.prefix}_beat`;
  const labels = encodeLabels([['__name__', metric]]);
  let seen: Seen | undefined;
  let sinceMs: number | undefined;
  let looking = false;

  const lastBeat = async (): Promise<Seen | undefined> => {
    const [found] = await server.instant(`${metric}[${HOUR_MS}ms]`, clock.now());
    const beat = found === undefined ? undefined : samplesOf(found).at(-1);
    return beat === undefined ? undefined : { startedS: Number(beat[1]), aliveMs: timeOf(beat[0]) };
  };
  const look = async (): Promise<void> => {
    const nowMs = clock.now();
    const { startedS } = await server.facts();
    if (startedS === undefined) return;
    const before = (seen ??= (await lastBeat()) ?? { startedS, aliveMs: nowMs });
    // Of several servers behind one address each is another process, but an old one.
    const isNew = Math.abs(startedS - before.startedS) >= 1 && startedS * 1000 > before.aliveMs - SKEW_MS;
    if (isNew) {
      access.restarts += 1;
      sinceMs = Math.min(sinceMs ?? Infinity, before.aliveMs - UNSURE_MS);
    }
    seen = { startedS, aliveMs: nowMs };
    if (sinceMs !== undefined) await lost(sinceMs);
    sinceMs = undefined;
    await server.write([{ labels, times: [nowMs], values: [startedS] }]);
  };
  const lookOnce = (): void => {
    if (looking) return;
    looking = true;
    look()
      .catch((error: unknown) => {
        if (sinceMs !== undefined)
          given.log.warn('what the store may have lost could not be written again; it is tried again', {
            reason: reasonOf(error),
          });
      })
      .finally(() => (looking = false));
  };
  lookOnce();
  return clock.every(WATCH_MS, lookOnce);
}
