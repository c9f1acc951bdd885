import type { Conductor, Scenario } from './scenario.ts';

const SETTLE_S = 5;
const DRAINED_MS_MAX = 120_000;
const BACK_MS_MAX = 30_000;

export const drain: Scenario = {
  name: 'drain',
  text: 'rolls the nodes: each sends its clients to the others in turn, as for an update',
  help: `By the nodes' own orders (needs --metrics of one node and --admin-token-file): drain one, wait until its clients are
gone, take it back, then the next. Takes as long as the nodes need, and at least --duration.`,
  activity: 'stream',
  defaults: { rate: 200, durationS: 30, connections: 200, peers: 2, rampPerS: 100 },
  flags: ['admin-token-file'],
  mayBeAcross: true,
  isOpenEnded: true,
  lacks: ({ adminToken, metrics }) => [
    ...(adminToken === undefined
      ? ['--admin-token-file is missing: orders to nodes need their ADMIN_TOKEN.']
      : []),
    ...(metrics.length === 0 ? ['--metrics is missing: it tells where a node takes orders.'] : []),
  ],
  async conduct(run) {
    run.phase('steady');
    await run.until(SETTLE_S);
    const nodes = (await run.admin?.nodes()) ?? [];
    if (nodes.length < 2) run.say('there is no other node to send clients to: nothing is drained');
    else for (const { id } of nodes) await roll(run, id);
    run.phase('after');
    await run.until(Math.max(run.options.durationS, run.elapsedS + SETTLE_S));
  },
};

async function roll(run: Conductor, id: string): Promise<void> {
  const { admin, signal } = run;
  if (admin === undefined || signal.aborted) return;
  run.phase(`drain ${id}`);
  await admin.drain(id);
  try {
    if (!(await admin.until(id, ({ connections }) => connections === 0, DRAINED_MS_MAX, signal)))
      run.say(`${id} still has clients after ${DRAINED_MS_MAX / 1_000} s`);
  } finally {
    // Whatever happened: no node is left drained.
    await admin.undrain(id);
  }
  run.phase(`undrain ${id}`);
  if (!(await admin.until(id, ({ admitting }) => admitting, BACK_MS_MAX, signal)))
    run.say(`${id} takes no clients again after ${BACK_MS_MAX / 1_000} s`);
}
