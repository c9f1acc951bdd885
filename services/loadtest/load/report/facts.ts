import { bytesText, countText, momentText, shareText, threeDigits, timeText } from '@fenghuo/web/report';

import type { Result } from './result.ts';

/** One row each of what a run was and did, below its headline and its latencies; only where there is something to tell. */
export function facts(result: Result): [what: string, text: string][] {
  const { connections, sessions, signals, calls, recovery, memory, slopes, phases, targets } = result;
  const rows: [string, string | undefined][] = [
    [
      'signals',
      `${counts({ planned: signals.planned, sent: signals.sent, accepted: signals.accepted })}${refusals(signals.refused)}, ${countText(signals.unknown)} unknown; ${counts({ expected: signals.expected, delivered: signals.delivered, named: signals.named })}`,
    ],
    ['rate', `${threeDigits(result.durationS > 0 ? signals.delivered / result.durationS : 0)} delivered/s`],
    [
      'calls',
      calls &&
        counts({
          started: calls.started,
          connected: calls.connected,
          failed: calls.failed,
          'hung up': calls.hungUp,
        }),
    ],
    [
      'connections',
      `${countText(connections.opened)} opened for a target of ${countText(connections.target)}, peak ${countText(connections.peak)}, ${counts({ failed: connections.failed, 'cut off': connections.cutOff })}${refusals(connections.refused)}`,
    ],
    [
      'sessions',
      counts({
        joined: sessions.joined,
        resumed: sessions.resumed,
        recovered: sessions.recovered,
        'with a snapshot': sessions.snapshots,
        resyncs: sessions.resyncs,
        over: sessions.over,
        'wrong peer_left': sessions.wrongPeerLeft,
      }),
    ],
    [
      'recovery',
      recovery &&
        `${countText(recovery.sessions)} sessions cut off at ${momentText(recovery.atS)}; ${recovery.to99S === undefined ? 'never 99 % of them were back' : `99 % were back after ${timeText(recovery.to99S * 1_000)}`}`,
    ],
    [
      'memory',
      memory &&
        `${bytesText(memory.bytesPerConnection)} per connection over ${countText(memory.connections)} of them (${bytesText(memory.nodeRssBytesBefore)} before, ${bytesText(memory.nodeRssBytesAfter)} after)`,
    ],
    ['slopes', slopes?.map(slopeText).join('; ')],
    ['phases', phases.map(phaseText).join(', ')],
    ['targets', targets.map(targetText).join(', ')],
    ['generator', generatorText(result)],
    ['started', `${result.startedAt}, for ${momentText(result.durationS)}`],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined && row[1] !== '');
}

function generatorText({ generator }: Result): string {
  const { hosts, workers, cpus, node, loopDelayP99Ms, started, lateStarts, isValid } = generator;
  const late = started > 0 ? ` (${shareText(lateStarts / started)})` : '';
  const where = `${plural(workers, 'worker')} on ${plural(hosts, 'machine')}, ${plural(cpus, 'CPU')}, Node ${node}`;
  return `${isValid ? 'valid' : 'INVALID'}: loop delay p99 ${timeText(loopDelayP99Ms)}, ${countText(lateStarts)} of ${countText(started)} started late${late}; ${where}`;
}

function counts(each: Readonly<Record<string, number>>): string {
  return Object.entries(each)
    .map(([what, count]) => `${countText(count)} ${what}`)
    .join(', ');
}

function refusals(refused: Readonly<Record<string, number>>): string {
  const codes = Object.entries(refused).filter(([, count]) => count > 0);
  return codes.length === 0
    ? ', 0 refused'
    : `, refused: ${codes.map(([code, count]) => `${countText(count)} ${code}`).join(', ')}`;
}

function phaseText({ name, fromS, toS }: Result['phases'][number]): string {
  return toS === undefined
    ? `${name} at ${momentText(fromS)}`
    : `${name} ${momentText(fromS)} – ${momentText(toS)}`;
}

function targetText({ url, region, node }: Result['targets'][number]): string {
  const where = [node, region].filter((each) => each !== undefined).join(', ');
  return where === '' ? url : `${url} (${where})`;
}

function slopeText({ what, unit, perHour, isGrowing }: NonNullable<Result['slopes']>[number]): string {
  return `${what} ${perHour > 0 ? '+' : ''}${threeDigits(perHour)} ${unit}/h${isGrowing ? ' (growing)' : ''}`;
}

function plural(count: number, what: string): string {
  return `${countText(count)} ${what}${count === 1 ? '' : 's'}`;
}
