import { spawn } from 'node:child_process';

/** `known`: advisories that a release must not have. `unasked`: why nobody knows. */
export type Audit =
  | { readonly type: 'asked'; readonly known: readonly string[] }
  | { readonly type: 'unasked'; readonly why: string };

/** Of npm's words for it, those that fail a run. */
const SEVERITIES: readonly unknown[] = ['moderate', 'high', 'critical'];
/** A registry that hangs is one that cannot be asked. */
const PATIENCE_MS = 60_000;

/** Asks npm's registry for the advisories of what a node is made of, as the lock file has it. */
export async function audit(cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<Audit> {
  const args = ['audit', '--omit=dev', '--json', '--fetch-retries=1', '--fetch-timeout=20000'];
  return new Promise((resolve) => {
    // `npm test` sets flags of its own in the environment; what they say of the registry must stay.
    const child = spawn('npm', args, { cwd, env, timeout: PATIENCE_MS, stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
    });
    child.on('error', (error) => resolve({ type: 'unasked', why: error.message }));
    child.on('close', () => resolve(readAudit(text)));
  });
}

interface Vulnerable {
  readonly severity?: unknown;
  /** A package's own advisories, or the names of those by which it has them. */
  readonly via?: readonly (string | { readonly title?: string; readonly url?: string })[];
  /** Where its copies are. */
  readonly nodes?: readonly string[];
}

/** Reads what `npm audit --json` prints. Whatever is no report of the registry's answer counts as unasked. */
export function readAudit(text: string): Audit {
  const report = parse(text) as
    | { vulnerabilities?: Record<string, Vulnerable>; message?: unknown }
    | undefined;
  if (report?.vulnerabilities === undefined)
    return { type: 'unasked', why: String(report?.message ?? 'npm audit gave no report') };
  const known = Object.entries(report.vulnerabilities)
    .filter(([, { severity }]) => SEVERITIES.includes(severity))
    .map(
      ([name, { severity, via, nodes }]) => `${name} (${severity}): ${titles(via)}, in ${nodes?.join(', ')}`,
    );
  return { type: 'asked', known };
}

function titles(via: Vulnerable['via'] = []): string {
  return via
    .map((cause) => (typeof cause === 'string' ? `by ${cause}` : `${cause.title} ${cause.url}`))
    .join('; ');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
