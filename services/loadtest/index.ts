export { Crowd } from './crowd.ts';
export { seededRandom } from './random.ts';
export { reportText } from './report.ts';
export { type RunOptions, type RunReport, run } from './run.ts';
export { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from './scenarios.ts';
export { bringToRest } from './settle.ts';
export { sourceAddress } from './source-address.ts';
export { startTraffic, type Traffic } from './traffic.ts';
export { type FaultReport, type Findings, judge, type Verdict } from './verdict.ts';
