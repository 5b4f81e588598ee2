import { useState, type ReactNode } from 'react';
import { count, quantity } from '../../units/quantity.ts';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { missing } from '../settings/rights.ts';
import { When } from '../settings/when.tsx';
import { ChangeHost, DeleteHost, RevokeAgent } from './actions.tsx';
import { useAgent, type HostReply } from './queries.ts';

type Row = readonly [name: string, value: ReactNode];

const bytes = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : quantity(Number(text), 'By');

function systemRows(facts: HostReply['inventory']): Row[] {
  const cores = [
    [facts['host.cpu.logical.count'], 'logical'],
    [facts['host.cpu.physical.count'], 'physical'],
  ].flatMap(([value, word]) => (value === undefined ? [] : `${value} ${word}`));
  return [
    ['Operating system', facts['os.description'] ?? facts['os.name']],
    ['Kernel', facts['os.kernel.release']],
    ['Architecture', facts['host.arch']],
    ['Processor', facts['host.cpu.model.name'] ?? facts['host.cpu.vendor.id']],
    ['CPUs', cores.join(', ') || undefined],
    ['Memory', bytes(facts['host.memory.size'])],
    ['Hardware', facts['host.hardware.model']],
    ['Virtualised by', facts['host.virtualization']],
    ['Cloud', [facts['cloud.provider'], facts['cloud.region']].filter(Boolean).join(' ') || undefined],
    ['Host name', facts['host.name']],
    ['Machine id', facts['host.id'] && <span className="mono">{facts['host.id']}</span>],
  ];
}

const NAMED = new Set([
  'os.description', 'os.name', 'os.type', 'os.version', 'os.kernel.release', 'host.arch', 'host.cpu.vendor.id', 'host.cpu.model.name',
  'host.cpu.logical.count', 'host.cpu.physical.count', 'host.memory.size', 'host.hardware.model', 'host.virtualization', 'cloud.provider',
  'cloud.region', 'host.name', 'host.id',
]); // prettier-ignore

function Table({ title, rows }: { title: string; rows: readonly Row[] }): ReactNode {
  return (
    <section>
      <h2>{title}</h2>
      <table>
        <tbody>
          {rows
            .filter(([, value]) => value !== undefined && value !== '')
            .map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{value}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}

function Agent({ host }: { host: HostReply }): ReactNode {
  const { data: agent, isPending, error, refetch } = useAgent(host.id);
  if (isPending) return <Skeleton height={220} />;
  if (error !== null) return <Fault error={error} what="the agent" again={() => void refetch()} />;
  const rows: Row[] = [
    ['Version', host.version],
    ['State', agent?.revoked === true ? 'cut off' : host.connected ? 'connected' : 'not connected'],
    ['Last seen', <When key="seen" ms={host.lastSeenMs} />],
    ['Enrolled', <When key="enrolled" ms={agent?.enrolledMs ?? host.createdMs} />],
    ['Certificate ends', agent && <When key="ends" ms={agent.certificateEndsMs} ahead />],
    ['Clock against the hub’s', agent && `${count(agent.skewMs)} ms`],
    ['Ephemeral', host.ephemeral ? 'yes: it is deleted when it has been gone for a while' : 'no'],
  ];
  return <Table title="Agent" rows={rows} />;
}

type Asked = 'change' | 'revoke' | 'delete' | undefined;

function Actions({ host }: { host: HostReply }): ReactNode {
  const [asked, ask] = useState<Asked>();
  const { data: agent } = useAgent(host.id);
  const [editor, admin] = [missing('editor'), missing('admin')];
  const close = (): void => ask(undefined);
  return (
    <section>
      <h2>Actions</h2>
      <div className="row facts-actions">
        <button type="button" disabled={editor !== undefined} onClick={() => ask('change')}>
          Rename or label
        </button>
        {agent?.revoked === false && (
          <button type="button" className="danger" disabled={admin !== undefined} onClick={() => ask('revoke')}>
            Revoke the agent
          </button>
        )}
        <button type="button" className="danger" disabled={admin !== undefined} onClick={() => ask('delete')}>
          Delete the host
        </button>
      </div>
      {(editor ?? admin) !== undefined && <p className="quiet small">{editor ?? admin}</p>}
      {asked === 'change' && <ChangeHost host={host} close={close} />}
      {asked === 'revoke' && <RevokeAgent host={host} close={close} />}
      {asked === 'delete' && <DeleteHost host={host} close={close} />}
    </section>
  );
}

/** What kind of machine it is, its agent, and what can be done with it. */
export function HostFacts({ host }: { host: HostReply }): ReactNode {
  const other = Object.entries(host.inventory).filter(([name]) => !NAMED.has(name));
  const labels = Object.entries(host.labels);
  return (
    <div className="facts">
      <Table title="Machine" rows={systemRows(host.inventory)} />
      <div className="stack">
        <Agent host={host} />
        {labels.length > 0 ? (
          <Table title="Labels" rows={labels} />
        ) : (
          <section>
            <h2>Labels</h2>
            <p className="quiet">None. Labels such as env=prod tell hosts apart in filters and rules.</p>
          </section>
        )}
        <Actions host={host} />
      </div>
      {other.length > 0 && <Table title="Further facts" rows={other} />}
    </div>
  );
}
