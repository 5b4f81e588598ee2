import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { services } from '../../hub/catalogue.ts';
import { onTools } from '../services/index.ts';
import { faultsOf, isPinned, read, ROOT, scratch } from './settings.ts';

const run = promisify(execFile);
const folder = scratch();
const CHART = join(ROOT, 'deploy', 'helm', 'outrider');
const EXAMPLES = readdirSync(join(ROOT, 'deploy', 'helm', 'examples'));
const example = (name: string): string => join(ROOT, 'deploy', 'helm', 'examples', name);

interface Container {
  name: string;
  image: string;
  args: string[];
  env?: { name: string; value?: string }[];
  ports?: { name: string; containerPort: number }[];
  resources: { requests?: object; limits?: { memory?: string } };
  securityContext: {
    readOnlyRootFilesystem?: boolean;
    allowPrivilegeEscalation?: boolean;
    capabilities?: { drop?: string[] };
  };
  startupProbe?: object;
  livenessProbe?: object;
  readinessProbe?: object;
}
interface PodSpec {
  enableServiceLinks?: boolean;
  automountServiceAccountToken?: boolean;
  securityContext: { runAsNonRoot?: boolean; runAsUser?: number };
  initContainers?: Container[];
  containers: Container[];
}
interface Manifest {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  spec: {
    selector?: Record<string, string> & { matchLabels?: Record<string, string> };
    podSelector?: { matchLabels: Record<string, string> };
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    ports?: { name: string; port: number; targetPort: string }[];
    scaleTargetRef?: { name: string };
    ingress?: { from?: object[] }[];
  };
}

const manifestsOf = (text: string): Manifest[] => parseAllDocuments(text).map((one) => one.toJS() as Manifest);
const podOf = ({ spec }: Manifest): PodSpec => spec.template?.spec as PodSpec;
const hubOf = (manifest: Manifest): Container => podOf(manifest).containers[0] as Container;
const targetOf = ({ args }: Container): string => args[args.indexOf('--target') + 1] ?? '';
const settingsOf = (all: readonly Manifest[]): string => {
  const text = all.find(({ data }) => data?.['outrider-hub.yaml'] !== undefined)?.data?.['outrider-hub.yaml'];
  if (text === undefined) throw new Error('no settings of the hub');
  return text;
};
const fits = (wanted: Record<string, string>, labels: Record<string, string>): boolean =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

await onTools(['helm', 'kubeconform', 'kubernetes-schemas'], (paths) => {
  const helm = async (...args: string[]): Promise<string> =>
    (await run(paths.helm, args, { env: { HOME: folder } })).stdout;
  const render = (values: string, ...more: string[]): Promise<string> =>
    helm(
      'template',
      'outrider',
      CHART,
      '--namespace',
      'outrider',
      '--kube-version',
      '1.34.0',
      '--values',
      example(values),
      ...more,
    );
  const load = async (values: string): Promise<Manifest[]> => manifestsOf(await render(values));
  const ofKind = (all: readonly Manifest[], kind: string): Manifest[] => all.filter((one) => one.kind === kind);

  test.each(EXAMPLES)('helm, %s: the chart is without fault, and every manifest fits its schema', async (values) => {
    expect(await helm('lint', CHART, '--strict', '--kube-version', '1.34.0', '--values', example(values))).toContain(
      '0 chart(s) failed',
    );
    const file = join(folder, 'manifests.yaml');
    writeFileSync(file, await render(values));
    const schemas = `${paths['kubernetes-schemas']}/{{.ResourceKind}}{{.KindSuffix}}.json`;
    const { stdout } = await run(paths.kubeconform, ['-strict', '-summary', '-schema-location', schemas, file]);
    expect(stdout).toMatch(/Valid: [1-9]\d*, Invalid: 0, Errors: 0, Skipped: 0/);
  });

  test.each(EXAMPLES)('helm, %s: the hub takes the settings of every process', async (values) => {
    const all = await load(values);
    const text = settingsOf(all);
    const deployments = ofKind(all, 'Deployment');
    expect(deployments.length).toBeGreaterThan(0);
    for (const deployment of deployments) {
      const hub = hubOf(deployment);
      const env = Object.fromEntries((hub.env ?? []).map(({ name, value = '' }) => [name, value]));
      const faults = await faultsOf(folder, { text, env, target: targetOf(hub) });
      expect(faults, deployment.metadata.name).toEqual([]);
      expect(Number(env['OUTRIDER_PORT'])).toBe(hub.ports?.[0]?.containerPort);
    }
  });

  test.each(EXAMPLES)('helm, %s: pods are pinned, bounded, watched and shut in', async (values) => {
    const pods = (await load(values)).filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet');
    const faults = pods.flatMap((pod) => {
      const spec = podOf(pod);
      const isHub = pod.kind === 'Deployment';
      const at = `${pod.kind} ${pod.metadata.name}`;
      const containers = [...(spec.initContainers ?? []), ...spec.containers].flatMap((one) => [
        ...(isPinned(one.image) ? [] : [`${at}: ${one.image} is not pinned`]),
        ...(one.resources.limits?.memory === undefined ? [`${at}: memory without a limit`] : []),
        ...(one.securityContext.readOnlyRootFilesystem === true ? [] : [`${at}: its root is writable`]),
        ...(one.securityContext.allowPrivilegeEscalation === false ? [] : [`${at}: may gain privileges`]),
        ...(one.securityContext.capabilities?.drop?.[0] === 'ALL' ? [] : [`${at}: keeps capabilities`]),
      ]);
      const [hub] = spec.containers;
      return [
        ...containers,
        // A Service named outrider would set OUTRIDER_PORT.
        ...(spec.enableServiceLinks === false ? [] : [`${at}: enableServiceLinks`]),
        ...(spec.automountServiceAccountToken === false ? [] : [`${at}: has a token of the cluster`]),
        ...(!isHub || (spec.securityContext.runAsNonRoot === true && spec.securityContext.runAsUser === 10001)
          ? []
          : [`${at}: runs as root`]),
        ...(!isHub || (hub?.startupProbe && hub.livenessProbe && hub.readinessProbe) ? [] : [`${at}: lacks a probe`]),
      ];
    });
    expect(faults).toEqual([]);
  });

  test.each(EXAMPLES)(
    'helm, %s: whatever chooses pods finds them, and each process has a budget and a policy',
    async (values) => {
      const all = await load(values);
      const pods = all.flatMap(({ kind, metadata, spec }) =>
        spec?.template === undefined ? [] : [{ kind, name: metadata.name, labels: spec.template.metadata.labels }],
      );
      for (const { kind, metadata, spec } of all.filter(
        (one) => one.kind === 'Service' || one.spec?.podSelector || one.spec?.selector?.matchLabels,
      )) {
        const wanted =
          spec.podSelector?.matchLabels ?? spec.selector?.matchLabels ?? (spec.selector as Record<string, string>);
        expect(
          pods.filter(({ labels }) => fits(wanted, labels)),
          `${kind} ${metadata.name}`,
        ).toHaveLength(1);
      }
      const names = all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
      const deployments = ofKind(all, 'Deployment').map(({ metadata }) => metadata.name);
      for (const kind of ['PodDisruptionBudget', 'NetworkPolicy'])
        expect(
          ofKind(all, kind).map(({ metadata }) => metadata.name),
          kind,
        ).toEqual(expect.arrayContaining(deployments));
      for (const { spec } of ofKind(all, 'HorizontalPodAutoscaler'))
        expect(deployments).toContain(spec.scaleTargetRef?.name);
      for (const { metadata, spec } of ofKind(all, 'Service'))
        for (const { targetPort } of spec.ports ?? []) {
          const owner = ofKind(all, 'Deployment').find((one) =>
            fits(spec.selector as Record<string, string>, one.spec.template?.metadata.labels ?? {}),
          );
          expect(owner && hubOf(owner).ports?.map(({ name }) => name), metadata.name).toContain(targetPort);
        }
    },
  );

  test('the values list every service of the catalogue with its port, and targets run each of them alone', async () => {
    const catalogue = Object.entries(services).map(([name, { port }]) => [name, port]);
    const listed = (parse(read('helm/outrider/values.yaml')) as { services: Record<string, { port: number }> })
      .services;
    expect(
      Object.entries(listed)
        .map(([name, { port }]) => [name, port])
        .toSorted(),
    ).toEqual(catalogue.toSorted());
    const all = await load('targets.yaml');
    const ran = ofKind(all, 'Deployment').map((one) => [
      one.metadata.name,
      targetOf(hubOf(one)),
      hubOf(one).ports?.[0]?.containerPort,
    ]);
    // Agents enrol only where they see a certificate of the hub's own authority, which ingest has.
    const wanted = catalogue.map(([name, port]) => [
      `outrider-${name}`,
      name === 'gateway' ? 'gateway,ingest' : name,
      port,
    ]);
    expect(ran.toSorted()).toEqual(wanted.toSorted());
    const text = settingsOf(all);
    const { peers } = parse(text) as { peers: { addresses: Record<string, string[]> } };
    const ports = ofKind(all, 'Service').flatMap(({ metadata, spec }) =>
      (spec.ports ?? []).map(({ port }) => `${metadata.name}:${port}`),
    );
    expect(Object.keys(peers.addresses).toSorted()).toEqual(catalogue.map(([name]) => name).toSorted());
    expect(
      Object.values(peers.addresses)
        .flat()
        .filter((url) => !ports.includes(new URL(url).host)),
    ).toEqual([]);
    const closed = ofKind(all, 'NetworkPolicy')
      .filter(({ spec }) => spec.ingress?.[0]?.from !== undefined)
      .map(({ metadata }) => metadata.name);
    expect(closed.toSorted()).toEqual(
      catalogue
        .map(([name]) => `outrider-${name}`)
        .filter((name) => name !== 'outrider-gateway')
        .toSorted(),
    );
  });

  test.each([
    ['two pods that share nothing', ['--set', 'replicas=2'], /needs stores that they share/],
    ['services apart that share nothing', ['--set', 'mode=targets'], /needs stores that they share/],
    ['a mode that there is not', ['--set', 'mode=both'], /mode/],
    ['a misspelt value', ['--set', 'replica=2'], /replica/],
    ['an image that moves', ['--set', 'image.tag=latest'], /tag/],
    ['a certificate without a name', ['--set', 'tls.mode=secret'], /tls.secretName/],
    ['an agent without a token', ['--set', 'agent.tokenSecret='], /agent.tokenSecret/],
  ])('helm refuses %s', async (_what, args, reason) => {
    await expect(render('small.yaml', ...args)).rejects.toThrow(reason);
  });

  test('upgrades without a Secret make one that has a secret for the peers', async () => {
    const [secret] = ofKind(await load('proxy.yaml'), 'Secret') as unknown as { stringData: Record<string, string> }[];
    expect(secret?.stringData['peers']).toMatch(/^\w{48}$/);
    expect(secret?.stringData['postgres-url']).toBe('set-me');
  });

  test('the plain manifests are what the chart renders for a small cluster', async () => {
    const how = `# Made of the chart: helm template outrider deploy/helm/outrider --namespace outrider --kube-version 1.34.0 --values deploy/helm/examples/small.yaml\n`;
    const file = join(ROOT, 'deploy', 'kubernetes', 'outrider.yaml');
    const text = `${how}${await render('small.yaml')}`;
    if (process.env['OUTRIDER_WRITE'] === '1') writeFileSync(file, text);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

test('deploy/ names no image without a registry and a version', () => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'deploy'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .trim()
    .split('\n');
  const images = files.flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^\s*(?:- )?image: ([^\s{$]+)$/gm)].map(
      ([, image = '']) => image,
    ),
  );
  expect(images.length).toBeGreaterThan(10);
  expect(images.filter((image) => !isPinned(image))).toEqual([]);
});
