import type { ReactNode } from 'react';
import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';
import { changesOf } from './document-words.ts';

/** What is different between two documents, before and after side by side. */
export function Changes({ before, after }: { before: PushedDocument; after: PushedDocument }): ReactNode {
  const changes = changesOf(before, after);
  if (changes.length === 0) return <p>Nothing is different.</p>;
  return (
    <div className="group-scroll" tabIndex={0} role="region" aria-label="What changes">
      <table className="group-changes">
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ key, name, before: old, after: next }) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              <td className={old === undefined ? 'quiet' : 'group-old'}>
                <span className="group-which">Before: </span>
                {old ?? 'not pushed'}
              </td>
              <td className={next === undefined ? 'group-gone' : 'group-new'}>
                <span className="group-which">After: </span>
                {next ?? '✕ taken away'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
