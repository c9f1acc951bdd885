import { type NodePlan, operatorsUrl, pageUrl } from './node-plan.ts';
import type { SharedRedis } from './shared-redis.ts';

interface Started {
  readonly plans: readonly NodePlan[];
  /** The process of each node, in the same order. */
  readonly pids: readonly number[];
  /** The operators' token, where it was made here. */
  readonly madeToken: string | undefined;
  readonly redis: Pick<SharedRedis, 'text' | 'isRegional'> | undefined;
}

/** What `npm start` says once every node takes clients. */
export function summary({ plans, pids, madeToken, redis }: Started): string {
  const count = plans.length === 1 ? '1 node' : `${plans.length} nodes`;
  const nodes = plans.map((plan, index) => {
    const rows = [
      // A page of a region stays there, however the ways are measured on a busy machine.
      ['page', redis?.isRegional ? `${pageUrl(plan)}?region=${plan.region}` : pageUrl(plan)],
      ['health', `${operatorsUrl(plan)}/readyz`],
      ['metrics', `${operatorsUrl(plan)}/metrics`],
      ['console', `${operatorsUrl(plan)}/console`],
    ];
    const title = `  ${plan.nodeId} (region ${plan.region}, pid ${pids[index]})`;
    return [title, ...rows.map(([what = '', url]) => `    ${what.padEnd(8)} ${url}`)].join('\n');
  });
  return [
    '',
    `Fenghuo is up: ${count}, sharing rooms through ${backplaneText(redis, pids[0])}.`,
    '',
    nodes.join('\n\n'),
    '',
    ...(plans.length === 1 ? [] : [`A page that outlives its node: ${failoverUrl(plans)}`]),
    ...(madeToken === undefined ? [] : [`The consoles ask for the operators' token: ${madeToken}`]),
    `Orders to nodes: ${orderText(plans, madeToken)}`,
    '',
    'AUTH=open: whoever reaches a page may join any room. That is for trying it out, not for the Internet.',
    plans.length === 1
      ? 'Open the page twice and join the same room. Ctrl-C stops it.'
      : 'Open two of the pages and join the same room in both. Ctrl-C stops everything.',
  ].join('\n');
}

function backplaneText(redis: Started['redis'], pid: number | undefined): string {
  return redis?.text ?? `memory in one process (pid ${pid})`;
}

/** The first node's page, which goes on through the others when that node is gone. */
function failoverUrl(plans: readonly NodePlan[]): string {
  const origins = plans.map((plan) => new URL(pageUrl(plan)).origin);
  return `${origins[0]}/?nodes=${origins.join(',')}`;
}

/** How an operator drains a node, ready to be pasted. */
function orderText([first]: readonly NodePlan[], madeToken: string | undefined): string {
  if (first === undefined) return '';
  const bearer = `"Authorization: Bearer ${madeToken ?? '$ADMIN_TOKEN'}"`;
  return `curl -X POST -H ${bearer} ${operatorsUrl(first)}/admin/v1/nodes/${first.nodeId}/drain`;
}
