import type { Link } from './connection.ts';
import type { Names } from './names.ts';

/** Headers that say how a letter died; the message goes on without them. */
const OF_THE_DEAD = ['outrider-reason', 'outrider-code', 'outrider-tries'];

/** Hands dead letters to their subscribers alone once more, the oldest first. Each is taken out only when it is on its way. */
export async function replayDead(
  { js, manager }: Link,
  names: Names,
  { subscriber, limit, dryRun }: { subscriber?: string; limit: number; dryRun: boolean },
): Promise<number> {
  const { state } = await manager.streams.info(names.deadStream);
  let done = 0;
  for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq && done < limit; seq++) {
    const letter = await manager.streams.getMessage(names.deadStream, { seq });
    if (letter === null) continue;
    const to = names.again(letter.subject);
    if (to === undefined || (subscriber !== undefined && names.readDead(letter.subject)?.subscriber !== subscriber))
      continue;
    done += 1;
    if (dryRun) continue;
    for (const key of OF_THE_DEAD) letter.header.delete(key);
    await js.publish(to, letter.data, { headers: letter.header });
    await manager.streams.deleteMessage(names.deadStream, seq);
  }
  return done;
}
