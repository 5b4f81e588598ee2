import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { onTools } from './index.ts';
import { TOOL_NAMES, type ToolName } from './tools.ts';

const run = promisify(execFile);

/** What a tool is asked to prove that it runs, and what it answers. */
const ASKED: Record<Exclude<ToolName, 'kubernetes-schemas'>, [args: string[], answer: RegExp]> = {
  helm: [['version'], /Version/],
  kubeconform: [['-h'], /schema-location/],
  promtool: [['--version'], /promtool, version/],
  'ansible-playbook': [['--version'], /core 2\./],
  'ansible-lint': [['--version'], /ansible-lint/],
  'dockerfile-python': [['-c', 'import dockerfile; print(dockerfile.parse_string("FROM scratch"))'], /scratch/],
  'compose-go': [['-h'], /compose/i],
  terraform: [['-version'], /Terraform v/],
};

for (const name of TOOL_NAMES) {
  await onTools([name], (paths) => {
    test(`${name} does its work`, async () => {
      const path = paths[name];
      if (name === 'kubernetes-schemas') {
        expect(readdirSync(path)).toContain('_definitions.json');
        expect(statSync(path).isDirectory()).toBe(true);
        return;
      }
      const [args, answer] = ASKED[name];
      const { stdout, stderr } = await run(path, args).catch((error: { stdout: string; stderr: string }) => error);
      expect(stdout + stderr).toMatch(answer);
    }, 120_000);
  });
}
