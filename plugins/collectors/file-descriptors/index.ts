import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile } from '#sdk';
import { parseFileNr } from './file-nr.ts';

/** Open file handles from /proc/sys/fs/file-nr. */
export const fileDescriptors = defineCollector({
  name: 'file-descriptors',
  summary: 'Reads how many files are open on the machine, from /proc/sys/fs/file-nr.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object({}, { additionalProperties: false }),
  create({ root }) {
    const read = textFile(join(root, 'proc/sys/fs/file-nr'));
    return {
      collect(emit) {
        const handles = parseFileNr(read() ?? '');
        if (handles === undefined) throw new Error('/proc/sys/fs/file-nr cannot be read');
        emit('system.linux.file_descriptor.count', handles.open);
        emit('system.linux.file_descriptor.utilization', handles.open / handles.limit);
      },
    };
  },
});
