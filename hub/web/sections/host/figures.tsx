import type { ReactNode } from 'react';
import { quantity } from '../../units/quantity.ts';
import { useHeadline, type HostLive } from './host-live.ts';

/** The few numbers that matter, new each second. */
export function HostFigures({ live }: { live: HostLive }): ReactNode {
  const { cpu, memory, disk, fullest, load, receive, transmit } = useHeadline(live);
  const figures = [
    { name: 'CPU busy', value: quantity(cpu, '1') },
    { name: 'Memory used', value: quantity(memory, '1') },
    { name: fullest === undefined ? 'Fullest disk' : `Fullest disk, ${fullest}`, value: quantity(disk, '1') },
    { name: 'Load, 1 min', value: quantity(load, '') },
    { name: 'Received', value: quantity(receive, 'By/s') },
    { name: 'Sent', value: quantity(transmit, 'By/s') },
  ];
  return (
    <dl className="figures host-figures">
      {figures.map(({ name, value }) => (
        <div key={name}>
          <dt className="cut" title={name}>
            {name}
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
