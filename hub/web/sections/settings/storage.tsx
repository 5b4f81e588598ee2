import { useState, type FormEvent, type ReactNode } from 'react';
import { Field } from '../../shell/dialog.tsx';
import { Fault, Skeleton } from '../../shell/states.tsx';
import { count, quantity } from '../../units/quantity.ts';
import { useChangeRetention, useRetention, type Retention } from './queries.ts';
import { missing } from './rights.ts';
import { When } from './when.tsx';

const FIELDS: readonly { key: keyof Retention; label: string; unit: string }[] = [
  { key: 'rawDays', label: 'Each second', unit: 'days' },
  { key: 'tenSecondDays', label: '10 seconds', unit: 'days' },
  { key: 'minuteDays', label: '1 minute', unit: 'days' },
  { key: 'hourDays', label: '1 hour', unit: 'days' },
  { key: 'diskGb', label: 'At most on disk', unit: 'GB' },
];

function Form({ now }: { now: Retention }): ReactNode {
  const [texts, setTexts] = useState(() => Object.fromEntries(FIELDS.map(({ key }) => [key, String(now[key])])));
  const change = useChangeRetention();
  const next = Object.fromEntries(FIELDS.map(({ key }) => [key, Number(texts[key])])) as unknown as Retention;
  const same = FIELDS.every(({ key }) => next[key] === now[key]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate(next);
  };
  return (
    <form className="inline" onSubmit={submit}>
      {FIELDS.map(({ key, label, unit }) => (
        <Field key={key} label={`${label}, ${unit}`}>
          <input
            type="number"
            required
            min="0.01"
            step="any"
            max={key === 'diskGb' ? 1_000_000 : 36_500}
            value={texts[key]}
            onChange={(event) => setTexts({ ...texts, [key]: event.target.value })}
          />
        </Field>
      ))}
      <button type="submit" disabled={same || change.isPending}>
        Save
      </button>
    </form>
  );
}

/** The limits to change, or for those who may not, to read. */
function Limits({ now }: { now: Retention }): ReactNode {
  const off = missing('admin', 'Changing them');
  if (off === undefined) return <Form key={JSON.stringify(now)} now={now} />;
  return (
    <>
      <p>{FIELDS.map(({ key, label, unit }) => `${label}: ${count(now[key])} ${unit}`).join(' · ')}</p>
      <p className="quiet">{off}</p>
    </>
  );
}

/** How long samples are kept, and what they take. */
export function Storage(): ReactNode {
  const { data, error, refetch } = useRetention();
  if (error !== null && data === undefined) return <Fault error={error} what="storage" again={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={160} width="100%" />;
  const { bytes, samples, oldestMs } = data.usage;
  return (
    <>
      <section>
        <h2>Samples</h2>
        <p>
          {quantity(bytes, 'By')} on disk, {count(samples)} samples
          {samples > 0 && ` (${(bytes / samples).toFixed(1)} bytes each)`}, the oldest{' '}
          <When ms={oldestMs} never="not there yet" />.
        </p>
        <p className="quiet">
          How long samples are kept, by how fine they are. The oldest go first when the limit is reached.
        </p>
        <Limits now={data.settings} />
      </section>
      <section>
        <h2>Log lines</h2>
        <p className="quiet">
          Log lines are kept for the days and up to the size that the hub’s settings file says: <code>logs.days</code>{' '}
          and <code>logs.diskGb</code>.
        </p>
      </section>
    </>
  );
}
