import { spawn } from 'node:child_process';

import { StartFailure } from '@fenghuo/cluster';

const COMMAND_MS_MAX = 60_000;

/** Splits a command line into its words; quotes hold blanks together. No shell ever sees it. Throws on an open quote. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (const char of text) {
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== undefined) throw new StartFailure(`${JSON.stringify(text)} has a quote that does not end.`);
  return word === undefined ? words : [...words, word];
}

/** Runs a command to its end. Throws a StartFailure with its last words where it fails. */
export function runCommand(text: string): Promise<void> {
  const [file = '', ...args] = wordsOf(text);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: COMMAND_MS_MAX });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      words = (words + more).slice(-500);
    });
    const fail = (why: string) => reject(new StartFailure(`${file} failed: ${words.trim() || why}`));
    child.once('error', (error) => fail(error.message));
    // A command that starts a server in the background leaves its output open: its own end is what counts.
    child.once('exit', (code, signal) => (code === 0 ? resolve() : fail(`${signal ?? `exit code ${code}`}`)));
  });
}
