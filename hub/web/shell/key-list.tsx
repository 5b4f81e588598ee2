import type { ReactNode } from 'react';
import { Dialog } from './dialog.tsx';
import { boundKeys } from './keys.ts';

/** The keys that do something on this section. */
export function KeyList({ close }: { close(): void }): ReactNode {
  return (
    <Dialog title="Keys" close={close}>
      <table>
        <tbody>
          {boundKeys().map(({ keys, does }) => (
            <tr key={keys}>
              <td style={{ width: 96 }}>
                {keys.split(' ').map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </td>
              <td>{does}</td>
            </tr>
          ))}
          <tr>
            <td>
              <kbd>Ctrl K</kbd>
            </td>
            <td>Go to a host, an alert, a setting, or search the logs</td>
          </tr>
        </tbody>
      </table>
    </Dialog>
  );
}
