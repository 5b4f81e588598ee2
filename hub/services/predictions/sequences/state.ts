import { gunzipSync, gzipSync } from 'node:zlib';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Cause } from '../event.ts';
import type { HostState } from './host.ts';
import { isSnapshot, type SequenceSnapshot } from './snapshot.ts';

/** Bytes of a host's state that are unpacked at most. */
const MOST_BYTES = 64 * 1024 * 1024;

const Time = Type.Integer({ minimum: 0, maximum: 1e15 });
const Text = Type.String({ maxLength: 1024 });
const Amount = Type.Number({ minimum: 0, maximum: 1e15 });

const Source = Type.Object({
  name: Text,
  firstMs: Time,
  lastMs: Time,
  /** A `SequenceSnapshot`, which `isSnapshot` looks at. */
  known: Type.Optional(Type.Unsafe<SequenceSnapshot>(Type.Unknown())),
  held: Type.Array(Type.Array(Type.Tuple([Text, Amount]), { maxItems: 4096 }), { maxItems: 1024 }),
});

const Event = Type.Object({
  ...{ id: Text, revision: Time, startMs: Time, lastMs: Time, peakMs: Time, score: Amount, surprise: Amount },
  causes: Type.Array(Type.Unsafe<Cause>(Type.Object({ metric: Text })), { maxItems: 100 }),
  templates: Type.Array(Text, { maxItems: 100 }),
});

/** What a host's row holds, as JSON. */
const Saved = Type.Object({
  version: Type.Literal(1),
  /** Windows of another length are other windows: nothing that was learned of them counts. */
  windowMs: Time,
  lookedMs: Time,
  place: Type.Optional(Type.Object({ epoch: Text, seq: Time })),
  event: Type.Optional(Event),
  sources: Type.Array(Source, { maxItems: 1024 }),
});
type Saved = Static<typeof Saved>;
const hasForm = Compile(Saved);

/** Writes down what is known of a host. */
export function packState({ lookedMs, place, event, sources }: HostState, windowMs: number): Buffer {
  const saved: Saved = {
    ...{ version: 1, windowMs, lookedMs },
    ...(place === undefined ? {} : { place }),
    ...(event === undefined ? {} : { event }),
    sources: [...sources].map(([name, { firstMs, lastMs, known, held }]) => ({
      ...{ name, firstMs, lastMs },
      ...(known === undefined ? {} : { known }),
      held: held.map((counts) => [...counts]),
    })),
  };
  return gzipSync(JSON.stringify(saved), { level: 1 });
}

/** Reads what `packState` wrote; undefined where it is something else, or of windows of another length. */
export function readState(bytes: Uint8Array, windowMs: number): HostState | undefined {
  let saved: unknown;
  try {
    saved = JSON.parse(gunzipSync(bytes, { maxOutputLength: MOST_BYTES }).toString('utf8'));
  } catch {
    return undefined; // What cannot be read is learned anew.
  }
  if (!hasForm.Check(saved) || saved.windowMs !== windowMs) return undefined;
  if (!saved.sources.every(({ known }) => known === undefined || isSnapshot(known))) return undefined;
  return {
    lookedMs: saved.lookedMs,
    place: saved.place,
    event: saved.event,
    sources: new Map(
      saved.sources.map(({ name, firstMs, lastMs, known, held }) => [
        name,
        { firstMs, lastMs, known, held: held.map((counts) => new Map(counts)) },
      ]),
    ),
  };
}
