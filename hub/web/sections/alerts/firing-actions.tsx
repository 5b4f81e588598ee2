import { Link } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { liveStream } from '../../live/stream.ts';
import { Menu } from '../../shell/menu.tsx';
import { usePreferences } from '../../shell/preferences.ts';
import { say } from '../../shell/toasts.tsx';
import { fixedRange } from '../../time/range.ts';
import { exactTime } from '../../time/wording.ts';
import { alertCalls, useChange, type Firing } from './queries.ts';
import { readEnd, SILENCE_LENGTHS } from './silence-end.ts';
import { useMay } from './use-may.ts';

/** What is shown before and after an alert on its host's page, milliseconds. */
const BEFORE_MS = 600_000;
const AFTER_MS = 300_000;

/** The host's page at the time of the alert. */
export function HostThen({ firing, children }: { firing: Firing; children: ReactNode }): ReactNode {
  const { resource, startedMs, resolvedMs } = firing;
  const end = Math.min((resolvedMs ?? liveStream.now()) + AFTER_MS, liveStream.now());
  const { from, to } = fixedRange(startedMs - BEFORE_MS, end);
  return (
    <Link to="/hosts/$id" params={{ id: resource }} search={{ from, to: resolvedMs === null ? undefined : to }}>
      {children}
    </Link>
  );
}

function Disabled({ label, title }: { label: string; title: string | undefined }): ReactNode {
  return (
    <button type="button" disabled title={title}>
      {label}
    </button>
  );
}

/** Says that somebody looks after it, with a note for the others. */
export function Acknowledge({ firing }: { firing: Firing }): ReactNode {
  const { run } = useChange();
  const may = useMay('editor');
  const [note, setNote] = useState('');
  const { id, acknowledged } = firing;
  const takeBack = (): void =>
    run(
      () => alertCalls.takeBack(id),
      () => say('The acknowledgement is taken back'),
    );
  if (acknowledged !== null) {
    return (
      <button type="button" {...may} onClick={takeBack}>
        Take acknowledgement back
      </button>
    );
  }
  if (may.disabled) return <Disabled label="Acknowledge ▾" title={may.title} />;
  return (
    <Menu label="Acknowledge ▾">
      {(close) => (
        <form
          className="stack"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            close();
            run(
              () => alertCalls.acknowledge(id, note),
              () => say(`You look after it: ${firing.title}`, takeBack),
            );
          }}
        >
          <input
            autoFocus
            maxLength={1000}
            aria-label="A note for the others, if you like"
            placeholder="A note for the others, if you like"
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
          <button type="submit" className="primary">
            Acknowledge
          </button>
        </form>
      )}
    </Menu>
  );
}

function SilenceMenu({ choose }: { choose(untilMs: number, reason: string): void }): ReactNode {
  const { zone } = usePreferences();
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const [wrong, setWrong] = useState(false);
  const typed = (event: FormEvent): void => {
    event.preventDefault();
    const end = readEnd(until, liveStream.now(), zone);
    setWrong(end === undefined);
    if (end !== undefined) choose(end, reason);
  };
  return (
    <form className="stack" onSubmit={typed}>
      <input
        aria-label="Why"
        placeholder="Why, for those who come later"
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
      <div className="row">
        {SILENCE_LENGTHS.map(({ ms, label }) => (
          <button key={label} type="button" onClick={() => choose(liveStream.now() + ms, reason)}>
            {label}
          </button>
        ))}
      </div>
      <div className="row">
        <input
          className="grow"
          aria-label="Until"
          placeholder="Until 18:00 · 3 h"
          value={until}
          onChange={(event) => setUntil(event.target.value)}
        />
        <button type="submit">Silence</button>
      </div>
      {wrong && (
        <p className="critical small" role="alert">
          That is no time to come. Try 3 h, 18:00 or 2026-01-31 08:00.
        </p>
      )}
    </form>
  );
}

/** Tells nobody of this rule on this host for a while. */
export function SilenceFor({ firing }: { firing: Firing }): ReactNode {
  const { run } = useChange();
  const may = useMay('editor');
  const { zone } = usePreferences();
  const silence = (toMs: number, reason: string): void => {
    const { rule, resource, ruleName, resourceName } = firing;
    const body = {
      rule,
      resource,
      severity: null,
      toMs: Math.round(toMs),
      reason: reason || `Silenced from its alert: ${firing.title}`,
    };
    run(
      () => alertCalls.silence(body),
      ({ id }) =>
        say(`Nobody is told of “${ruleName}” on ${resourceName} until ${exactTime(toMs, zone)}`, () =>
          run(
            () => alertCalls.endSilence(id),
            () => say('The silence is over'),
          ),
        ),
    );
  };
  if (may.disabled) return <Disabled label="Silence ▾" title={may.title} />;
  const [, two] = SILENCE_LENGTHS;
  return (
    <div className="alert-silence">
      <button type="button" onClick={() => silence(liveStream.now() + two.ms, '')}>
        Silence for {two.label}
      </button>
      <Menu label="▾" name="Silence for another time">
        {(close) => (
          <SilenceMenu
            choose={(end, reason) => {
              close();
              silence(end, reason);
            }}
          />
        )}
      </Menu>
    </div>
  );
}
