import { AUDITED_ACTIONS } from '../http/admin/audit.ts';
import { STATUS } from '../http/admin/replies.ts';
import type { Family } from './catalogue.ts';

export function operatorMetrics(family: Family) {
  return {
    actions: family.counter(
      'signaling_admin_actions_total',
      'What operators did through this node, by action and outcome; action none: a request with a wrong token.',
      { action: AUDITED_ACTIONS, outcome: ['ok', ...Object.keys(STATUS)] },
    ),
  };
}
