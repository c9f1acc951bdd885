import { readFileSync } from 'node:fs';

import { StartFailure } from '@fenghuo/cluster';

import { SECRET_CHARS_MIN } from './worker-link.ts';

/** What a file holds, without the blanks around it. Throws a StartFailure that says which file cannot be read. */
export function textFrom(file: string): string {
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text !== '') return text;
  } catch (error) {
    throw new StartFailure(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
  throw new StartFailure(`${file} is empty.`);
}

/** The secret that coordinator and workers share. */
export function secretFrom(file: string): string {
  const secret = textFrom(file);
  if (secret.length < SECRET_CHARS_MIN)
    throw new StartFailure(
      `the secret in ${file} is short; make one: openssl rand -base64 32 > ${file} && chmod 600 ${file}`,
    );
  return secret;
}
