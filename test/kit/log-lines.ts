import { fromBinary } from '@bufbuild/protobuf';
import { LogsSchema, type LogLine } from '#proto/agent/v1/index.ts';
import { createChunk } from '../../agent/pipeline/encode.ts';

/** What the hub reads of encoded events of one source. */
export function linesOf(source: string, events: Buffer): LogLine[] {
  const chunk = createChunk(source);
  chunk.add(events);
  const entry = Buffer.alloc(chunk.bytes());
  chunk.finish(entry, 0);
  return fromBinary(LogsSchema, entry).chunks.flatMap(({ lines }) => lines);
}
