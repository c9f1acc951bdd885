import type { RunReport } from './run.ts';
import type { Spread } from './samples.ts';

/** The end of a run as people read it: what was done, what was counted, and why it fails where it does. */
export function reportText(report: RunReport): string {
  const { findings, verdict } = report;
  const { ledger, crowd, rosters } = findings;
  const bitten = findings.faults.filter((fault) => fault.hasBitten).length;
  const rows: [string, string][] = [
    ['faults', `${findings.faults.length}, of which ${bitten} bit`],
    [
      'signals',
      `${findings.planned} planned, ${ledger.sent} sent, ${ledger.accepted} accepted, ${ledger.received} received`,
    ],
    ['lost', `${ledger.lost} in silence, ${ledger.named} named`],
    ['doubled', `${ledger.doubled} by number, ${crowd.repeated} by seq`],
    ['reordered, misrouted', `${ledger.reordered}, ${ledger.misrouted}`],
    ['phantom, unanswered', `${ledger.phantom}, ${ledger.unanswered}`],
    ['refused for good', `${crowd.failed}`],
    ['had to wait', `${waits(crowd.withheld)}; ${crowd.servedAgain} accepted on a later try`],
    ['wrong peer_left', `${crowd.wrongPeerLeft}`],
    [
      'sessions',
      `${crowd.resumed} resumed, ${crowd.expired} over (${crowd.expiredEarly} of them early, ${crowd.expiredHosted} of a hosted room), ${crowd.cutOff} times cut off`,
    ],
    [
      'named losses',
      `${crowd.recoveredFalse} recovered: false, ${crowd.resyncs} resync (${crowd.resyncsComplete} complete)`,
    ],
    [
      'rosters',
      `${rosters.ghosts} ghosts, ${rosters.missing} missing, ${rosters.detached} shown as detached`,
    ],
    ['time to resume', spread(findings.resumeMs)],
    ...(crowd.slowestResume === '' ? [] : [['the slowest of them', crowd.slowestResume] as [string, string]]),
    ['gap in service', spread(findings.gapMs)],
    [
      'survivors’ loop delay',
      findings.loopDelayP99Ms === undefined ? 'unknown' : `p99 ${Math.round(findings.loopDelayP99Ms)} ms`,
    ],
    ['errors in nodes’ logs', `${report.complaints.length}`],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  const examples = [
    ...ledger.examples,
    ...crowd.examples,
    ...rosters.examples,
    ...report.complaints.slice(0, 5),
  ];
  return [
    '',
    `${report.scenario}: seed ${report.seed}, ${report.clients} clients on ${report.nodes} nodes, ${report.rate} signals/s, ${report.seconds} s`,
    ...rows.map(([what, text]) => `  ${what.padEnd(width)}  ${text}`),
    ...(verdict.isPass ? [] : examples.map((line) => `  · ${line}`)),
    verdict.isPass ? 'PASS' : `FAIL: ${verdict.reasons.join('; ')}`,
    '',
  ].join('\n');
}

/** One line a scenario, where there were several. */
export function summaryText(reports: readonly RunReport[]): string {
  const width = Math.max(...reports.map(({ scenario }) => scenario.length));
  return reports
    .map(({ scenario, verdict, findings }) => {
      const { ledger, resumeMs } = findings;
      const counts = `${ledger.accepted} accepted, ${ledger.lost} lost, ${ledger.named} named, ${ledger.doubled} doubled`;
      const resume = resumeMs === undefined ? '' : `, resume ${spread(resumeMs)}`;
      return `${verdict.isPass ? 'pass' : 'FAIL'}  ${scenario.padEnd(width)}  ${counts}${resume}`;
    })
    .join('\n');
}

function waits(withheld: Readonly<Record<string, number>>): string {
  const each = Object.entries(withheld).map(([code, count]) => `${count} ${code}`);
  return each.length === 0 ? '0' : each.join(', ');
}

function spread(times: Spread | undefined): string {
  if (times === undefined) return 'none';
  return `p50 ${times.p50} ms, p99 ${times.p99} ms, max ${times.max} ms (${times.count})`;
}
