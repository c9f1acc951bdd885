export { readEarlier } from './compare.ts';
export { EXIT_CODES, judge } from './judge.ts';
export { type LiveView, liveView, type Progress } from './live-view.ts';
export { readResult } from './read-result.ts';
export {
  LATENCY_NAMES,
  type Latency,
  type LatencyName,
  RESULT_SCHEMA,
  type Result,
  resultSchema,
  type TimelinePoint,
  type Unjudged,
} from './result.ts';
export { METRIC_NAMES, parseSlo, type Slo } from './slo.ts';
export { summaryText } from './summary.ts';
export { writeReports } from './write-reports.ts';
