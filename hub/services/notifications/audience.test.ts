import { describe, expect, test } from 'vitest';
import { tell, type Listener } from './audience.ts';

const channel = (id: string, more: Partial<Listener> = {}): Listener => ({
  id,
  name: id,
  formerNames: [],
  kind: 'mail',
  minSeverity: 'info',
  enabled: true,
  ...more,
});
const FIRES = { state: 'firing', severity: 'warning', channels: [] as string[], ruleName: 'Disk nearly full' } as const;
const OVER = { ...FIRES, state: 'resolved' } as const;
const short = (told: ReturnType<typeof tell>) => told.map(({ name, status }) => `${name}:${status}`);

describe('who is told that something fires', () => {
  test('every channel that is switched on and takes its severity, when the rule names none', () => {
    const channels = [
      channel('a'),
      channel('off', { enabled: false }),
      channel('night', { minSeverity: 'critical' }),
      channel('b', { minSeverity: 'warning' }),
    ];
    expect(short(tell(channels, FIRES, []))).toEqual(['a:queued', 'b:queued']);
  });

  test('those that the rule names, in any case, once each; why one is not told is said', () => {
    const channels = [
      channel('Ops'),
      channel('night', { minSeverity: 'critical' }),
      channel('off', { enabled: false }),
    ];
    const told = tell(channels, { ...FIRES, channels: ['ops', 'OPS', 'night', 'off', 'gone'] }, []);
    expect(short(told)).toEqual(['Ops:queued', 'night:skipped', 'off:skipped', 'gone:failed']);
    expect(told[1]?.reason).toBe('The channel takes only what is critical or worse; this is warning.');
    expect(told[3]?.reason).toContain('“gone”');
    expect(told[3]?.reason).toContain('“Disk nearly full”');
  });

  test('a channel by a name that it had before, unless another has it now', () => {
    const renamed = channel('renamed', { formerNames: ['ops'] });
    const news = { ...FIRES, channels: ['Ops'] };
    expect(short(tell([renamed], news, []))).toEqual(['renamed:queued']);
    expect(short(tell([renamed, channel('ops')], news, []))).toEqual(['ops:queued']);
  });

  test('nobody: that is said too', () => {
    expect(tell([], FIRES, [])).toMatchObject([
      { status: 'skipped', reason: expect.stringContaining('no channel') as string },
    ]);
    expect(tell([channel('off', { enabled: false })], FIRES, [])[0]?.reason).toContain('warning');
  });

  test('nobody when the bus told it before, or told its end before', () => {
    expect(tell([channel('a')], FIRES, [{ state: 'firing', status: 'sent', channel: 'a' }])).toEqual([]);
    expect(short(tell([channel('a')], FIRES, [{ state: 'resolved', status: 'skipped', channel: null }]))).toEqual([
      ':skipped',
    ]);
  });
});

describe('who is told that it is over', () => {
  test('those who were told, or are still to be told, that it fires', () => {
    const channels = [channel('a'), channel('b'), channel('c'), channel('d'), channel('off', { enabled: false })];
    const told = tell(channels, OVER, [
      { state: 'firing', status: 'sent', channel: 'a' },
      { state: 'firing', status: 'queued', channel: 'b' },
      { state: 'firing', status: 'failed', channel: 'c' },
      { state: 'firing', status: 'sent', channel: 'off' },
      { state: 'firing', status: 'sent', channel: 'removed' },
    ]);
    expect(short(told)).toEqual(['a:queued', 'b:queued', 'off:skipped']);
  });

  test('nobody, which is said, when nobody was told or it was told before', () => {
    expect(tell([channel('a')], OVER, [])).toMatchObject([
      { status: 'skipped', reason: 'Nobody was told that it fires.' },
    ]);
    expect(tell([channel('a')], OVER, [{ state: 'resolved', status: 'queued', channel: 'a' }])).toEqual([]);
  });
});
