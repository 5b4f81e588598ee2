import type { JetStreamApiError } from '@nats-io/jetstream';
import type { Subject } from '#proto/subjects.ts';
import { reasonOf } from '#sdk';
import type { Link } from './connection.ts';
import { seal } from './envelope.ts';
import { problems } from './errors.ts';
import type { Names } from './names.ts';

/** Codes of a stream that has no room for a message. */
const NO_ROOM = new Set([10077, 10047, 10023]);
const PUBLISH_MS = 5_000;
/** Bytes of headers and subject beside a message. */
const BESIDE = 1_024;

/** Puts a message on the server's disk. */
export async function publishTo<Payload>(
  { nats, js, keeper }: Link,
  { names, place }: { names: Names; place: string },
  subject: Subject<Payload>,
  { org, payload }: { org: string; payload: Payload },
): Promise<void> {
  const { data, headers } = await seal(org, subject.encode(payload));
  const limit = nats.info?.max_payload ?? Infinity;
  if (data.length > limit - BESIDE)
    throw problems.tooLarge(
      `A message of ${data.length} bytes is over max_payload of NATS at ${place} (${limit}). Set max_payload: 8MB in the server’s settings.`,
    );
  const id = subject.id?.(payload);
  const msgID = id === undefined ? undefined : `${org}:${subject.name}:${id}`;
  try {
    await js.publish(names.news(subject, subject.key(payload)), data, { msgID, headers, timeout: PUBLISH_MS });
  } catch (error) {
    if (NO_ROOM.has((error as JetStreamApiError).code))
      throw problems.full(
        `NATS at ${place} has no room in the stream ${names.stream}. Raise bus.maxGb, or see with outrider-hub bus status who is behind.`,
        { cause: error },
      );
    void keeper.look(); // Nobody answers for a stream that is gone.
    throw problems.unavailable(`NATS at ${place} did not take a message (${reasonOf(error)}).`, { cause: error });
  }
}
