// A reporter of vitest that writes down which files have begun and not ended, so that a run that hangs can be told by name.
import { writeFileSync } from 'node:fs';

const open = new Set();
const write = () => process.env.OUTRIDER_TEST_UNFINISHED && writeFileSync(process.env.OUTRIDER_TEST_UNFINISHED, [...open].join('\n'));

export default class Unfinished {
  onTestModuleQueued({ relativeModuleId }) {
    open.add(relativeModuleId);
    write();
  }
  onTestModuleEnd({ relativeModuleId }) {
    open.delete(relativeModuleId);
    write();
  }
}
