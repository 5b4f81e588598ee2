import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Confirm } from '../../shell/dialog.tsx';
import { AddHost } from './add-host.tsx';
import { List } from './list.tsx';
import { Needs } from './needs.tsx';
import { useAgents, useHostNames, useRevoke, useTokens, useWithdrawToken } from './queries.ts';
import { missing } from './rights.ts';
import { When } from './when.tsx';

const ended = ({ usesLeft, expiresMs }: { usesLeft: number; expiresMs: number }): boolean =>
  usesLeft === 0 || expiresMs < Date.now();

function Tokens(): ReactNode {
  const tokens = useTokens();
  const withdraw = useWithdrawToken();
  return (
    <section>
      <h2>Join tokens</h2>
      <List
        of={tokens}
        what="Join tokens"
        columns={['Made', 'Uses left', 'Ends', 'Labels', '']}
        empty="None is open."
        over={(token) => ended(token)}
      >
        {({ id, createdMs, usesLeft, uses, expiresMs, labels, ephemeral }) => (
          <>
            <td>
              <When ms={createdMs} />
            </td>
            <td>
              {usesLeft} of {uses}
            </td>
            <td>
              <When ms={expiresMs} ahead />
            </td>
            <td className="mono">
              {Object.entries(labels).map(([key, value]) => `${key}=${value} `)}
              {ephemeral && 'ephemeral'}
            </td>
            <td>
              {!ended({ usesLeft, expiresMs }) && (
                <button type="button" onClick={() => withdraw.mutate(id)}>
                  Withdraw
                </button>
              )}
            </td>
          </>
        )}
      </List>
    </section>
  );
}

function Agents(): ReactNode {
  const agents = useAgents();
  const names = useHostNames().data;
  const revoke = useRevoke();
  const [asked, ask] = useState<{ id: string; name: string }>();
  const nameOf = (id: string, hostname: string): string => names?.get(id) ?? hostname;
  return (
    <section>
      <h2>Agents</h2>
      <List
        of={agents}
        what="Agents"
        columns={['Host', 'State', 'Labels it joined with', 'Version', 'Enrolled', 'Certificate ends', '']}
        empty="No agent has enrolled yet."
        over={({ revoked }) => revoked}
        listed={({ id, revoked }) => !revoked || names === undefined || names.has(id)}
      >
        {({ id, hostname, labels, connected, revoked, version, enrolledMs, certificateEndsMs }) => (
          <>
            <td>
              <Link to="/hosts/$id" params={{ id }}>
                {nameOf(id, hostname)}
              </Link>{' '}
              {nameOf(id, hostname) !== hostname && <span className="quiet">{hostname}</span>}
            </td>
            <td>
              {revoked ? (
                'revoked'
              ) : connected ? (
                <span className="good">● connected</span>
              ) : (
                <span className="warning">○ not connected</span>
              )}
            </td>
            <td className="mono">
              {Object.entries(labels)
                .map((pair) => pair.join('='))
                .join(' ')}
            </td>
            <td>{version}</td>
            <td>
              <When ms={enrolledMs} />
            </td>
            <td>
              <When ms={certificateEndsMs} ahead />
            </td>
            <td>
              {!revoked && (
                <button
                  type="button"
                  className="danger"
                  disabled={missing('admin') !== undefined}
                  title={missing('admin')}
                  onClick={() => ask({ id, name: nameOf(id, hostname) })}
                >
                  Revoke
                </button>
              )}
            </td>
          </>
        )}
      </List>
      {asked !== undefined && (
        <Confirm
          title={`Cut off the agent on ${asked.name}?`}
          verb="Revoke"
          close={() => ask(undefined)}
          act={() => revoke.mutate(asked.id)}
        >
          <p>It stops sending within ten seconds and must enrol again to come back. Its data stay.</p>
        </Confirm>
      )}
    </section>
  );
}

/** Hosts: add one, tokens that are open, agents that came. */
export function Hosts(): ReactNode {
  const may = missing('admin') === undefined;
  return (
    <>
      {may ? <AddHost /> : <Needs title="Add a host" doing="Adding a host" role="admin" />}
      <Agents />
      {may ? <Tokens /> : <Needs title="Join tokens" doing="Seeing and withdrawing them" role="admin" />}
    </>
  );
}
