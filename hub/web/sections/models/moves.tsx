import { useState, type ReactNode } from 'react';
import { count } from '../../units/quantity.ts';
import { When } from '../settings/when.tsx';
import type { Move } from './queries.ts';
import { moveWords } from './words.ts';

/** Moves that are shown before somebody asks for all. */
const FEW = 10;

/** What judged before, and who changed it. */
export function Moves({ moves }: { moves: readonly Move[] }): ReactNode {
  const [all, showAll] = useState(false);
  if (moves.length === 0) return <p className="quiet">Nothing was moved yet.</p>;
  const shown = all ? moves : moves.slice(0, FEW);
  return (
    <>
      <ol className="model-moves">
        {shown.map((move, index) => (
          <li key={`${move.atMs} ${move.alias} ${index}`}>
            <span className="model-move">{moveWords(move)}</span>
            <span className="quiet small">
              <When ms={move.atMs} />, {move.by}: {move.reason}
            </span>
          </li>
        ))}
      </ol>
      {shown.length < moves.length && (
        <button type="button" className="link" onClick={() => showAll(true)}>
          Show all {count(moves.length)}
        </button>
      )}
    </>
  );
}
