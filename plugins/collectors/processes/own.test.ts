import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { OWN_PROGRAM, silentLogger, systemClock } from '#sdk';
import { expect, test } from 'vitest';
import { processes } from './index.ts';

test.skipIf(process.platform !== 'linux')(
  'the agent and the helpers that it starts have a name of their own',
  async () => {
    const script = "process.title = 'some-helper'; process.stdout.write('ready'); setTimeout(() => undefined, 60_000);";
    const helper = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(helper.stdout, 'data');
    const config = { top: 100, each: false, most: 1 };
    const collector = processes.create({ config, root: '/', log: silentLogger, redact: String, clock: systemClock });
    try {
      const memory = new Map<string, number>();
      await collector.collect((metric, value, attributes) => {
        if (metric === 'process.memory.usage') memory.set(attributes?.['process.executable.name'] ?? '', value);
      }, new AbortController().signal);
      expect(memory.get(OWN_PROGRAM)).toBeGreaterThan(0.5 * process.memoryUsage.rss());
      expect(memory.has('some-helper')).toBe(false);
    } finally {
      collector.stop?.();
      helper.kill();
    }
  },
);
