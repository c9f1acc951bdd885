// The first thing that runs on a fresh machine, so plain JavaScript for Node >= 20 with nothing installed:
// installs the packages, builds the page, then runs the given script on the Node that the project brings along.
//   node services/cluster/bootstrap.mjs SCRIPT [ARGUMENT...]
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const inRoot = (...path) => join(root, ...path);
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const LOCK_STAMP = inRoot('node_modules', '.fenghuo-lock');
const PAGE_STAMP = inRoot('node_modules', '.fenghuo-page');
const PAGE_SOURCES = ['services/web', 'services/client', 'services/protocol', 'package-lock.json'];
const PAGES = ['services/web/dist/index.html', 'services/web/report/dist/report.html'];
/** Signals that arrive within this time are one order, told twice (by the terminal, and again by npm). */
const SAME_ORDER_MS = 500;
const PARENT_CHECK_MS = 1_000;
/** A signal to our whole process group reaches all of it well within this time. */
const GROUP_SIGNAL_MS = 50;

async function main([script, ...args]) {
  if (script === undefined)
    fail('no script named. Usage: node services/cluster/bootstrap.mjs SCRIPT [ARGUMENT...]');
  await installPackages();
  const node = nodeBinary();
  await buildPage(node);
  // The channel lets the script notice that this process is gone ('disconnect'), whatever ended it.
  const end = await run(node, [script, ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  process.exit(end.code);
}

async function installPackages() {
  const lockText = readFileSync(inRoot('package-lock.json'), 'utf8');
  const lockHash = sha256(lockText);
  if (readIfThere(LOCK_STAMP) === lockHash) return;
  if (!isInstalled(JSON.parse(lockText))) {
    process.stderr.write('fenghuo: installing packages (npm ci), once…\n');
    const end = await run(...npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']));
    if (end.orderedBy !== undefined) process.exit(codeOf(end.orderedBy));
    if (end.code !== 0) {
      const cause = firstLine(end.output, /^npm (?:error|ERR!) (?!(?:code|errno|syscall) )(\S.+)/);
      fail(`npm ci failed: ${cause}. Check the network and the registry, then try again.`);
    }
  }
  writeFileSync(LOCK_STAMP, lockHash);
}

/** Whether node_modules already is what the lockfile asks for, whoever installed it (`npm install x` by hand, say). */
function isInstalled(lock) {
  const installedText = readIfThere(inRoot('node_modules', '.package-lock.json'));
  if (installedText === undefined) return false;
  const installed = JSON.parse(installedText).packages ?? {};
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.includes('node_modules/') || wanted.optional || wanted.peer) return true;
    return installed[path] !== undefined && installed[path].version === wanted.version;
  });
}

/** npm as it was called, else the one on the PATH; never on the Node in node_modules, which `npm ci` deletes. */
function npm(args) {
  const { npm_execpath, npm_node_execpath } = process.env;
  const own = inRoot('node_modules');
  if (npm_execpath?.endsWith('.js') && npm_node_execpath && !npm_node_execpath.startsWith(own)) {
    return [npm_node_execpath, [npm_execpath, ...args]];
  }
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(own));
  return ['npm', args, { env: { ...process.env, PATH: path.join(delimiter) } }];
}

/** The Node of the `node` package; the host's own where it is as new, and that package could not be set up. */
function nodeBinary() {
  const wanted = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).devDependencies.node;
  const major = Number(/\d+/.exec(wanted)?.[0]);
  const binary = inRoot('node_modules', 'node', 'bin', 'node');
  if (existsSync(binary)) return binary;
  if (Number.parseInt(process.versions.node, 10) >= major) return process.execPath;
  return fail(
    `Node ${major} is missing (${binary}); install scripts may be off. Run "npm config set ignore-scripts false && rm -rf node_modules" and try again.`,
  );
}

/** Builds the pages when their sources are not those they were last built from. */
async function buildPage(node) {
  const sources = hashOf(PAGE_SOURCES);
  const isBuilt = PAGES.every((page) => existsSync(inRoot(page)));
  if (readIfThere(PAGE_STAMP) === sources && isBuilt) return;
  const end = await run(node, [inRoot('node_modules', 'vite', 'bin', 'vite.js'), 'build', 'services/web']);
  if (end.orderedBy !== undefined) process.exit(codeOf(end.orderedBy));
  if (end.code !== 0) {
    const cause = firstLine(end.output, /^\[[\w:-]+\] (.+)/);
    const place = /services\/\S+:\d+:\d+/.exec(stripVTControlCharacters(end.output))?.[0];
    fail(
      `the page does not build: ${cause}${place ? ` (${place})` : ''}. See it whole with "npm run build".`,
    );
  }
  writeFileSync(PAGE_STAMP, sources);
}

function hashOf(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const entries = readIfFolder(path);
    if (entries === undefined)
      return hash
        .update(`${path}\0`)
        .update(readFileSync(inRoot(path)))
        .update('\0');
    for (const name of entries.sort()) {
      if (name !== 'dist' && name !== 'node_modules') visit(`${path}/${name}`);
    }
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}

/**
 * Runs a command to its end. Signals to this process reach it once: a signal to the whole process group (Ctrl-C,
 * `timeout`, systemd) has reached it already, and to say it again would mean "at once" to a node that is draining.
 * Ends this process where the command could not be run. `orderedBy` is the first signal that came meanwhile.
 */
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    let orderedBy;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const stopWatching = watchSignals({
      onOrder: (signal) => {
        orderedBy ??= signal;
      },
      forward: (signal) => child.kill(signal),
    });
    child.on('error', (error) => fail(`cannot run ${command}: ${error.message}`));
    child.on('close', (code, signal) => {
      stopWatching();
      resolve({ code: code ?? codeOf(signal), output, orderedBy });
    });
  });
}

/** Calls `onOrder` for each signal, and `forward` for those that were sent to this process alone and not to its group. */
function watchSignals({ onOrder, forward }) {
  // The canary sits in our process group and dies of any signal sent to the group; it ends with us, at the end of its input.
  const startCanary = () => spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] }).on('error', () => {});
  let canary = startCanary();
  let orderedAt = Number.NEGATIVE_INFINITY;
  const onSignal = (signal) => {
    const now = performance.now();
    if (now - orderedAt < SAME_ORDER_MS) return;
    orderedAt = now;
    onOrder(signal);
    setTimeout(() => {
      if (canary.signalCode === null) forward(signal);
      else canary = startCanary();
    }, GROUP_SIGNAL_MS);
  };
  for (const signal of FORWARDED_SIGNALS) process.on(signal, onSignal);
  // npm, when it is killed outright, tells nobody: its end shows in who our parent is.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event === undefined || process.ppid === parent) return;
    clearInterval(watch);
    onSignal('SIGTERM');
  }, PARENT_CHECK_MS);
  return () => {
    clearInterval(watch);
    for (const signal of FORWARDED_SIGNALS) process.off(signal, onSignal);
    canary.kill('SIGKILL');
  };
}

/** The exit code of a shell for a command that a signal ended. */
function codeOf(signal) {
  return 128 + constants.signals[signal];
}

function firstLine(output, pattern) {
  const lines = stripVTControlCharacters(output)
    .split('\n')
    .map((line) => line.trim());
  const found = lines.map((line) => pattern.exec(line)?.[1]).find((line) => line !== undefined);
  return (found ?? lines.filter(Boolean).at(-1) ?? 'it said nothing').replace(/[.:\s]+$/, '');
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readIfFolder(path) {
  try {
    return readdirSync(inRoot(path));
  } catch (error) {
    if (error.code === 'ENOTDIR') return undefined;
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

function fail(message) {
  process.stderr.write(`fenghuo: ${message}\n`);
  process.exit(1);
}

await main(process.argv.slice(2));
