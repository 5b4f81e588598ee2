import { Type } from 'typebox';
import { defineCollector, type Connect, type Emit } from '#sdk';
import { connectHttp, createTargets, httpFields, problems, rememberAttributes, targetList, type HttpTarget } from '../../targets/index.ts'; // prettier-ignore
import { parseStubStatus, type StubStatus } from './stub-status.ts';

/** The page has some 120 bytes. */
const MOST_BYTES = 10_000;

const STATES = ['active', 'reading', 'writing', 'waiting'] as const;

const connectNginx: Connect<HttpTarget> = (target) => connectHttp(target, { maxBytes: MOST_BYTES });

function createTeller({ name, labels }: HttpTarget): (emit: Emit, status: StubStatus) => void {
  const attributes = rememberAttributes({ ...labels, 'outrider.target': name });
  return (emit, status) => {
    emit('nginx.connections_accepted', status.accepted, attributes());
    emit('nginx.connections_handled', status.handled, attributes());
    emit('nginx.requests', status.requests, attributes());
    for (const state of STATES) emit('nginx.connections_current', status[state], attributes('state', state));
  };
}

/** nginx, by its module stub_status. */
export const nginx = defineCollector({
  name: 'nginx',
  summary: 'Asks nginx for its connections and requests, by the page of its module stub_status.',
  platforms: ['linux', 'darwin', 'win32', 'freebsd'],
  intervalSeconds: 10,
  config: Type.Object({ targets: targetList(httpFields) }, { additionalProperties: false }),
  create: ({ config, ...context }, connect: Connect<HttpTarget> = connectNginx) =>
    createTargets({
      collector: 'nginx',
      targets: config.targets,
      context,
      connect,
      reader(target) {
        const tell = createTeller(target);
        return {
          async read(ask) {
            const status = parseStubStatus(await ask(''));
            if (status === undefined)
              throw problems.notUnderstood('the page is not that of stub_status; give the address of its location');
            return { tell: (emit) => tell(emit, status) };
          },
        };
      },
    }),
});
