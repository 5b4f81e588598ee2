import { create } from '@bufbuild/protobuf';
import {
  AgentMessageSchema,
  DetectionReportSchema,
  Lane,
  type AgentMessage,
  type Detection,
} from '#proto/agent/v1/index.ts';
import { until, type Api } from './programs.ts';
import { signInFirst, startHubProgram, type RunningHub } from './running-hub.ts';
import {
  batchMessage,
  enrolSimulated,
  openSimulated,
  tableOf,
  type SimulatedBatch,
  type SimulatedSeries,
} from './simulated-agent.ts';

/** A hub from dist/ and a host of which a test says itself what was measured. */
export interface ToldHost {
  hub: RunningHub;
  api: Api;
  /** The id of the host. */
  host: string;
  /** Sends a row of its series, and waits until the hub has taken it. */
  tell(timeMs: number, values: readonly number[], more?: Pick<SimulatedBatch, 'anomalies' | 'before'>): Promise<void>;
  /** Why the agent does not use the model of an alias; it uses all others that it is given. */
  problems: Partial<Record<string, string>>;
  close(): Promise<void>;
}

/** What the agent says of what it is to detect by. */
function reportOf(
  { revision, models }: Pick<Detection, 'revision' | 'models'>,
  problems: ToldHost['problems'],
): AgentMessage {
  const said = models.map(({ version, alias }) => ({
    ...{ version, alias, inUse: problems[alias] === undefined, problem: problems[alias] ?? '' },
  }));
  const value = create(DetectionReportSchema, { revision, models: said });
  return create(AgentMessageSchema, { kind: { case: 'detection', value } });
}

/** Starts both; `series`: what each row has a value for. */
export async function startToldHost(name: string, series: readonly SimulatedSeries[]): Promise<ToldHost> {
  const hub = await startHubProgram();
  try {
    const api = await signInFirst(hub);
    const { token } = await api.call<{ token: string }>('POST', '/api/v1/agents/tokens', { labels: {} });
    let welcome = false;
    let acknowledged = 0n;
    const problems: ToldHost['problems'] = {};
    const stream = openSimulated(await enrolSimulated(hub.url, token, name), 1n, ({ kind }) => {
      if (kind.case === 'welcome') welcome = true;
      if (kind.case === 'detection') stream.send(reportOf(kind.value, problems));
      if (kind.case === 'ack' && kind.value.seq > acknowledged) acknowledged = kind.value.seq;
    });
    await until('the hub welcomes the agent', () => welcome || undefined);
    stream.send(reportOf({ revision: 0n, models: [] }, problems));
    // A monitoring that runs by itself hears of a host later than the agents do.
    const host = await until('the host is known', async () => {
      const { hosts } = await api.call<{ hosts: { id: string; name: string }[] }>('GET', '/api/v1/monitoring/overview');
      return hosts.find((one) => one.name === name)?.id;
    });
    const table = tableOf(series);
    let seq = 0n;
    return {
      ...{ hub, api, problems, host },
      async tell(timeMs, values, more = {}) {
        const sent = ++seq;
        const batch = { epoch: 1n, seq: sent, lane: Lane.LIVE, timeMs, table, values, withTable: sent === 1n, ...more };
        stream.send(batchMessage(batch));
        await until(`batch ${sent} is acknowledged`, () => acknowledged >= sent || undefined);
      },
      async close() {
        stream.close();
        await hub.close();
      },
    };
  } catch (error) {
    await hub.close();
    throw error;
  }
}
