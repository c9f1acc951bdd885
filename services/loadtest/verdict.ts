import type { CrowdSums } from './crowd.ts';
import type { LedgerSums } from './ledger.ts';
import type { RosterCheck } from './roster-check.ts';
import type { Spread } from './samples.ts';
import type { Limits } from './scenarios.ts';
import type { FaultKind } from './schedule.ts';

/** What became of one fault. */
export interface FaultReport {
  readonly kind: FaultKind;
  readonly node?: string;
  /** After the traffic began. */
  readonly atMs: number;
  readonly tookMs: number;
  /** Whether it had an effect: a fault that does not bite proves nothing. */
  readonly hasBitten: boolean;
  readonly evidence: string;
  /** Clients that were on the node. */
  readonly clients: number;
  readonly resumeMs?: Spread;
}

/** Everything that a run counted. */
export interface Findings {
  /** Signals and messages that the rate and the time asked for. */
  readonly planned: number;
  readonly ledger: LedgerSums;
  readonly crowd: CrowdSums;
  readonly rosters: RosterCheck;
  readonly faults: readonly FaultReport[];
  /** Nodes that ended, or did not come back, without our doing. */
  readonly crashes: readonly string[];
  /** What did not come to rest after the last fault: requests, clients, promised events. */
  readonly unsettled: readonly string[];
  /** From the fault to the session resumed, over all faults that cut clients off. */
  readonly resumeMs?: Spread;
  readonly gapMs?: Spread;
  /** Of the nodes that survived; undefined where they do not tell. */
  readonly loopDelayP99Ms?: number;
}

export interface Verdict {
  readonly isPass: boolean;
  /** Why not. Empty where it passes. */
  readonly reasons: readonly string[];
}

/** A run that sent less than this did not put to test what it says. */
const SENT_SHARE_MIN = 0.95;

/** Says whether what was counted keeps the promises, and, as strictly, whether the run could have shown otherwise. */
export function judge(findings: Findings, limits: Limits): Verdict {
  const reasons = [
    ...brokenPromises(findings, limits),
    ...emptyProofs(findings, limits),
    ...slowness(findings, limits),
  ];
  return { isPass: reasons.length === 0, reasons };
}

function brokenPromises(findings: Findings, limits: Limits): string[] {
  const { ledger, crowd, rosters, faults, crashes, unsettled } = findings;
  const cutByFaults = faults.reduce((sum, { clients }) => sum + clients, 0);
  const none = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what}`]);
  return [
    ...none(ledger.lost, 'lost without a word'),
    ...none(ledger.doubled, 'doubled'),
    ...none(crowd.repeated, 'events delivered again (by seq)'),
    ...none(ledger.reordered, 'reordered'),
    ...none(ledger.misrouted, 'misrouted'),
    ...none(ledger.phantom, 'delivered though refused'),
    ...none(ledger.unanswered, 'never answered'),
    ...none(crowd.failed, 'requests refused for good'),
    ...none(crowd.wrongPeerLeft, 'wrong peer_left'),
    ...(limits.mayExpireEarly
      ? none(crowd.expiredHosted, 'sessions over inside their window, though a living node hosted their room')
      : none(crowd.expiredEarly, 'sessions over inside their window')),
    ...(limits.mayExpireEarly
      ? []
      : none(crowd.expired - crowd.expiredEarly, 'sessions over, their clients back too late')),
    ...(limits.mayNameLoss ? [] : none(ledger.named, 'lost and named, where nothing may be lost')),
    ...(limits.mayNameLoss
      ? []
      : none(crowd.recoveredFalse, 'resumed with recovered: false, where nothing may be lost')),
    ...(limits.mayNameLoss
      ? []
      : none(crowd.resyncs - crowd.resyncsComplete, 'resyncs, where nothing may be lost')),
    ...(limits.isOneStorm
      ? none(Math.max(0, crowd.cutOff - cutByFaults), 'connections lost again, after the fault')
      : []),
    ...Object.entries(crowd.odd).map(([what, count]) => `${count} times against the protocol: ${what}`),
    ...none(rosters.ghosts, 'ghosts in rosters'),
    ...none(rosters.missing, 'missing in rosters'),
    ...none(rosters.detached, 'shown as detached though they are there'),
    ...crashes,
    ...unsettled,
  ];
}

function emptyProofs({ planned, ledger, crowd, faults }: Findings, limits: Limits): string[] {
  const reasons: string[] = [];
  if (planned === 0 || ledger.accepted < SENT_SHARE_MIN * planned) {
    const percent = planned === 0 ? 0 : Math.floor((ledger.accepted / planned) * 100);
    reasons.push(`only ${ledger.accepted} of ${planned} planned were sent and accepted (${percent} %)`);
  }
  for (const fault of faults) {
    if (fault.hasBitten) continue;
    const where = fault.node === undefined ? '' : ` of ${fault.node}`;
    reasons.push(`${fault.kind}${where} at ${seconds(fault.atMs)} s did not bite: ${fault.evidence}`);
  }
  if (limits.proof === 'none') return reasons;
  if (faults.length === 0) reasons.push('no fault happened');
  if (limits.proof === 'resumed' && crowd.resumed === 0) reasons.push('nothing resumed');
  if (limits.proof === 'served-again' && crowd.servedAgain === 0)
    reasons.push('no request had to wait, and none was served again');
  // A loss may be made good between two requests; then only the resync tells.
  if (limits.proof === 'noticed' && crowd.servedAgain + crowd.resyncs === 0)
    reasons.push('no request had to wait, and nobody got a resync');
  return reasons;
}

function slowness({ resumeMs, gapMs, loopDelayP99Ms }: Findings, limits: Limits): string[] {
  const above = (what: string, value: number | undefined, max: number | undefined) =>
    value !== undefined && max !== undefined && value > max
      ? [`${what} is ${Math.round(value)} ms, over ${max} ms`]
      : [];
  return [
    ...above('p99 of the time to resume', resumeMs?.p99, limits.resumeP99MsMax),
    ...above('p99 of the gap in service', gapMs?.p99, limits.gapP99MsMax),
    ...above("p99 of the survivors' event-loop delay", loopDelayP99Ms, limits.loopDelayP99MsMax),
  ];
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
