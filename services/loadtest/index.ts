export { reportText } from './report.ts';
export { type RunOptions, type RunReport, run } from './run.ts';
export { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from './scenarios.ts';
export { type Findings, judge, type Verdict } from './verdict.ts';
