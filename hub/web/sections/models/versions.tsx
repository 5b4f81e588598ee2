import type { ReactNode } from 'react';
import { Empty, Fault, Skeleton } from '../../shell/states.tsx';
import { Pages } from '../../table/pages.tsx';
import { Table, type Column } from '../../table/table.tsx';
import { count, quantity } from '../../units/quantity.ts';
import { When } from '../settings/when.tsx';
import { GateMark } from './gate.tsx';
import { Learnt } from './lineage.tsx';
import { PAGE, useModels, type Model } from './queries.ts';
import type { ChangeModels } from './use-models-search.ts';

const COLUMNS: readonly Column<Model>[] = [
  {
    ...{ id: 'version', name: 'Version', width: 'minmax(140px, 3fr)' },
    cell: ({ version, aliases }) => (
      <span className="model-name">
        <span className="mono">{version}</span>
        {aliases.map((alias) => (
          <span key={alias} className="chip small">
            {alias}
          </span>
        ))}
      </span>
    ),
  },
  { id: 'trained', name: 'Trained', width: '104px', cell: ({ createdMs }) => <When ms={createdMs} /> },
  { id: 'learnt', name: 'Learnt from', width: 'minmax(0, 3fr)', shown: 'wide', cell: (model) => <Learnt model={model} /> },
  { id: 'gate', name: 'Gate', width: 'minmax(88px, 1.5fr)', cell: ({ gate }) => <GateMark gate={gate} /> },
  { id: 'by', name: 'By', width: 'minmax(0, 1fr)', shown: 'wide', cell: ({ madeBy }) => <span className="cut">{madeBy.name}</span> },
  { id: 'size', name: 'Size', width: '88px', end: true, shown: 'choice', cell: ({ bytes }) => quantity(bytes, 'By') },
  { id: 'metrics', name: 'Metrics', width: '72px', end: true, shown: 'choice', cell: ({ features }) => count(features) },
]; // prettier-ignore

const keyOf = ({ version }: Model): string => version;

/** Versions of the host's model, newest first. */
export function Versions({
  resource,
  page,
  opened,
  change,
}: {
  resource: string;
  page: number;
  opened: string | undefined;
  change: ChangeModels;
}): ReactNode {
  const { data, error, refetch } = useModels(resource, page);
  if (data === undefined)
    return error === null ? (
      <Skeleton height={200} />
    ) : (
      <Fault error={error} what="the versions" again={() => void refetch()} />
    );
  return (
    <>
      <Table
        name="host-models"
        label="Versions of the model"
        rows={data.items}
        columns={COLUMNS}
        keyOf={keyOf}
        opened={opened}
        open={({ version }) => change({ version })}
        empty={
          <Empty title="No versions here">
            {page > 1 ? 'There are no older ones.' : 'They appear when a model is trained.'}
          </Empty>
        }
      />
      <Pages page={page} size={PAGE} total={data.total} go={(to) => change({ page: to })} />
    </>
  );
}
